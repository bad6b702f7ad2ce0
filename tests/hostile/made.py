"""Hostile files made by hand, by name: {file name: content}. What is wrong with each is in its name."""

import io
import json
import pathlib
import struct
import zipfile
import zlib

FILES = pathlib.Path(__file__).parent / "files"
OK_PICKLE = b"\x80\x02}."  # an empty dict
KIND = "archive/data.pkl"


def record(name, payload, **fields):
    """One record of an archive. Fields: method, flags, crc, size, packed, and those of the central entry with "c_" before."""
    values = {
        "method": 0,
        "flags": 0,
        "crc": zlib.crc32(payload),
        "size": len(payload),
        "packed": len(payload),
        **fields,
    }
    return {"name": name.encode("latin1"), "payload": payload, **values}


def archive(records, *, comment=b"", count=None, directory_offset=None, directory_size=None, starts=None, disk=0):
    """A zip archive from records, whose end may lie. `starts`: where the central entries say that the records begin."""
    body, offsets, central = b"", [], b""
    for one in records:
        offsets.append(len(body))
        body += struct.pack(
            "<4sHHHHHIIIHH", b"PK\3\4", 20, one["flags"], one["method"], 0, 0x21, one["crc"], one["packed"], one["size"],
            len(one["name"]), 0,
        )  # fmt: skip
        body += one["name"] + one["payload"]
    for one, offset in zip(records, starts(offsets) if starts else offsets, strict=True):
        central += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, one["flags"], one["method"], 0, 0x21, one.get("c_crc", one["crc"]),
            one.get("c_packed", one["packed"]), one.get("c_size", one["size"]), len(one["name"]), 0, 0, 0, 0, 0, offset,
        )  # fmt: skip
        central += one["name"]
    number = len(records) if count is None else count
    end = struct.pack(
        "<4sHHHHIIH", b"PK\5\6", disk, disk, number & 0xFFFF, number & 0xFFFF,
        len(central) if directory_size is None else directory_size,
        len(body) if directory_offset is None else directory_offset, len(comment),
    )  # fmt: skip
    return body + central + end + comment


def torch(*more, pickle=OK_PICKLE, **end):
    return archive([record(KIND, pickle), record("archive/version", b"3\n"), *more], **end)


def deflated(payload):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(payload) + packer.flush()


def bomb(name, size):
    """A record that says, rightly, that it inflates to `size` zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block, packed, crc = bytes(1 << 20), b"", 0
    for _ in range(size >> 20):
        packed += packer.compress(block)
        crc = zlib.crc32(block, crc)
    packed += packer.flush()
    return {**record(name, packed, method=8, crc=crc, size=size), "packed": len(packed)}


def keras(config, *more):
    weights = zipfile.ZipFile(FILES / "tiny_lenet.keras").read("model.weights.h5")
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    return archive([record("config.json", text), record("model.weights.h5", weights), *more])


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(begin, end, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def archives():
    one, two = record("archive/data/0", bytes(64)), record("archive/data/1", bytes(64))
    yield from {f"name {name!r}.pt": torch(record(name, b"x")) for name in TRAVERSALS}.items()
    yield "record twice.pt", torch(one, one)
    yield "pickle twice.pt", torch(record(KIND, b"\x80\x02]."))
    yield "two entries of one record.pt", torch(one, two, starts=lambda places: [*places[:3], places[2]])
    yield "record inside another.pt", torch({**one, "c_size": 150, "c_packed": 150}, two)
    yield "record over the directory.pt", torch({**one, "c_size": 1 << 20, "c_packed": 1 << 20})
    yield "record past the end.pt", torch({**one, "c_size": 0xFFFFFFFE, "c_packed": 0xFFFFFFFE})
    yield "zip64 without its field.pt", torch({**one, "c_size": 0xFFFFFFFF, "c_packed": 0xFFFFFFFF})
    yield "sizes differ.pt", torch({**one, "c_size": 63})
    yield "encrypted.pt", torch({**one, "flags": 1})
    yield "method 99.pt", torch({**one, "method": 99})
    yield "pickle by method 12.pt", archive([record(KIND, OK_PICKLE, method=12)])
    yield "fewer records.pt", torch(count=1)
    yield "more records.pt", torch(count=3)
    yield "65535 records.pt", torch(count=0xFFFF)
    yield "directory at 0.pt", torch(directory_offset=0)
    yield "directory past the end.pt", torch(directory_offset=0xFFFFFFF0)
    yield "directory at the end.pt", torch(directory_offset=10_000)
    yield "directory of no size.pt", torch(directory_size=0)
    yield "directory of all size.pt", torch(directory_size=0xFFFFFFF0)
    yield "comment of another archive.pt", torch(comment=torch())
    yield "second disk.pt", torch(disk=1)
    yield "pickle bomb.pt", archive([bomb(KIND, 2 << 30)])
    yield "storage bomb.pt", torch(bomb("archive/data/0", 1 << 30))
    yield "bomb that lies.pt", archive([{**bomb(KIND, 1 << 26), "size": 100}])
    yield "not deflate.pt", archive([record(KIND, b"\xff" * 50, method=8, size=100)])
    yield "deflated wrongly long.pt", archive([{**record(KIND, deflated(OK_PICKLE), method=8), "size": 3}])


TRAVERSALS = [
    "../../evil",
    "/etc/evil",
    "archive/../../evil",
    "C:\\evil",
    "archive/\0evil",
    "",
    "archive//",
    "a" * 60_000,
]


def pickles():
    deep = b"]" * 100_000 + b"a" * 99_999 + b"."
    yield "lists in lists.pt", torch(pickle=b"\x80\x02" + deep)
    yield "list in itself.pt", torch(pickle=b"\x80\x02}X\1\0\0\0a]q\0h\0as.")
    yield "dict in itself.pt", torch(pickle=b"\x80\x02}q\0X\1\0\0\0ah\0s.")
    # Each list holds the one before it ten times: 10^30 values in a kilobyte.
    laughs = b"]q\0X\3\0\0\0lola0"
    for n in range(30):
        laughs += b"](" + bytes([0x68, n]) * 10 + b"eq" + bytes([n + 1]) + b"0"
    yield "billion laughs.pt", torch(pickle=b"\x80\x02}X\1\0\0\0a" + laughs + b"h\x1es.")
    dicts = b"}q\0" + b"".join(
        b"}(" + b"".join(b"X\1\0\0\0" + bytes([97 + k]) + b"h" + bytes([n]) for k in range(10)) + b"uq" + bytes([n + 1])
        for n in range(30)
    )
    yield "billion dicts.pt", torch(pickle=b"\x80\x02" + dicts + b".")
    yield "memo of 2^32.pt", torch(pickle=b"\x80\x02}r\xff\xff\xff\xff.")
    yield "memo not there.pt", torch(pickle=b"\x80\x02j\xff\xff\xff\xff.")
    yield "frame past the end.pt", torch(pickle=b"\x80\x04\x95" + b"\xff" * 8 + b"}.")
    yield "long of 2^31 bytes.pt", torch(pickle=b"\x80\x02\x8b\xff\xff\xff\x7f.")
    yield "text of -1 bytes.pt", torch(pickle=b"\x80\x02X\xff\xff\xff\xff.")
    yield "text of 2^63 bytes.pt", torch(pickle=b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.")
    yield "bytearray of 2^62 bytes.pt", torch(pickle=b"\x80\x05\x96" + b"\xff" * 7 + b"\x3f.")
    yield "protocol 77.pt", torch(pickle=b"\x80\x4d}.")
    yield "nothing behind.pt", torch(pickle=b"")
    yield "two pickles.pt", torch(pickle=OK_PICKLE + OK_PICKLE)


def keras_files():
    layer = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": "d", "units": 1},
        "registered_name": None,
    }
    model = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [layer]},
        "registered_name": None,
    }
    yield "config of lists.keras", keras(b"[" * 200_000 + b"]" * 200_000)
    yield "config of a text.keras", keras(b'"' + b"a" * 1_000_000 + b'"')
    yield "config cut.keras", keras(json.dumps(model).encode()[:-5])
    yield "config bomb.keras", archive([bomb("config.json", 1 << 30), record("model.weights.h5", b"x")])
    yield (
        "weights bomb.keras",
        archive([record("config.json", json.dumps(model).encode()), bomb("model.weights.h5", 1 << 30)]),
    )
    yield "no layers.keras", keras({**model, "config": {"name": "s", "layers": 3}})
    yield "layers of numbers.keras", keras({**model, "config": {"name": "s", "layers": [1, 2]}})
    yield "model in itself.keras", keras(nest(model, 3000))
    yield "units of 2^62.keras", keras(with_settings(model, {"units": 1 << 62}))
    yield "units of -1.keras", keras(with_settings(model, {"units": -1}))
    yield "units of a list.keras", keras(with_settings(model, {"units": [1]}))
    yield "input shape of 2^62.keras", keras(with_settings(model, {"batch_input_shape": [None, 1 << 62, 1 << 62]}))
    yield "lambda.keras", keras(with_class(model, "Lambda"))
    yield (
        "class of os.keras",
        keras({**model, "config": {"name": "s", "layers": [{**layer, "module": "os", "class_name": "system"}]}}),
    )
    functional = {"module": "keras", "class_name": "Model", "registered_name": None}
    yield "graph in a circle.keras", keras({**functional, "config": circle()})
    yield "input that is not there.keras", keras({**functional, "config": {**circle(), "input_layers": [["x", 0, 0]]}})
    yield (
        "weights of another kind.keras",
        archive([record("config.json", json.dumps(model).encode()), record("model.weights.h5", OK_PICKLE)]),
    )


def nest(model, depth):
    """A model that holds a model that holds a model; as text, since Python's own encoder would run out of stack."""
    text = '{"module":"keras","class_name":"Sequential","registered_name":null,"config":{"name":"s","layers":['
    return (text * depth + json.dumps(model) + "]}}" * depth).encode()


def with_settings(model, settings):
    layer = model["config"]["layers"][0]
    changed = {**layer, "config": {**layer["config"], **settings}}
    return {**model, "config": {**model["config"], "layers": [changed]}}


def with_class(model, name):
    layer = {**model["config"]["layers"][0], "class_name": name}
    return {**model, "config": {**model["config"], "layers": [layer]}}


def circle():
    def call(of):
        keras_tensor = {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 1], "dtype": "float32", "keras_history": [of, 0, 0]},
        }
        return [{"args": [keras_tensor], "kwargs": {}}]

    def dense(name, of):
        return {"module": "keras.layers", "class_name": "Dense", "name": name, "registered_name": None,
                "config": {"name": name, "units": 1}, "inbound_nodes": call(of)}  # fmt: skip

    return {
        "name": "f",
        "layers": [dense("a", "b"), dense("b", "a")],
        "input_layers": [["a", 0, 0]],
        "output_layers": [["b", 0, 0]],
    }


def safetensors_files():
    for name, dtype, shape in (
        ("2^63 elements", "F32", [1 << 63]), ("2^32 x 2^32", "U8", [1 << 32, 1 << 32]), ("-1 elements", "F32", [-1]),
        ("2^61 floats", "F64", [1 << 61]), ("shape of texts", "F32", ["1"]), ("1000 axes", "U8", [1] * 1000),
        ("type of a number", 7, [1]), ("type of 4 bits", "F4", [8]),
    ):  # fmt: skip
        yield f"{name}.safetensors", safetensors({"a": tensor(0, 4, shape, dtype)}, bytes(4))
    for name, begin, end in (
        ("ends before", 4, 0),
        ("past", 0, 1 << 40),
        ("at 2^64", 0, (1 << 64) - 1),
        ("float", 0, 4.0),
    ):
        yield f"offsets {name}.safetensors", safetensors({"a": tensor(begin, end)}, bytes(4))
    yield "header of 0.safetensors", struct.pack("<Q", 0)
    yield "header of a list.safetensors", safetensors([1])
    yield "entries of texts.safetensors", safetensors({"a": "b"})
    yield "no name.safetensors", safetensors({"": tensor(0, 4)}, bytes(4))
    yield "name of 1 MB.safetensors", safetensors({"n" * 1_000_000: tensor(0, 4)}, bytes(4))
    yield "100,000 empty tensors.safetensors", safetensors({str(n): tensor(0, 0, [0]) for n in range(100_000)})
    yield (
        "alias of itself.safetensors",
        safetensors({"__metadata__": {"a": "a", "b": "a", "c": "b"}, "a": tensor(0, 4)}, bytes(4)),
    )
    yield (
        "architecture of nonsense.safetensors",
        safetensors({"__metadata__": {"tieout": "{]"}, "a": tensor(0, 4)}, bytes(4)),
    )


def indices():
    for name in ["../x.safetensors", "/etc/passwd.safetensors", "a/b.safetensors", "", ".", "..", "a\0.safetensors"]:
        index = {"metadata": {}, "weight_map": {"a": name, "b": "z.safetensors"}}
        yield f"shard {name!r}.safetensors.index.json".replace("/", "_"), json.dumps(index).encode()
    own = "its own shard.safetensors.index.json"
    yield own, json.dumps({"weight_map": {"a": own, "b": "z.safetensors"}}).encode()


def files():
    """{name: content}, of names that any file system takes."""
    made = {}
    for group in (archives, pickles, keras_files, safetensors_files, indices):
        for name, content in group():
            short = "".join(c if c.isalnum() or c in " .,^-" else "_" for c in name[:40] + name[40:][-20:])
            assert short not in made, short
            made[short] = content
    return made


def opcodes(step=1):
    """Every opcode out of place: first, behind a value, behind a mark, with arguments that are cut, and twice."""
    for code in range(0, 256, step):
        op = bytes([code])
        yield code, "first", b"\x80\x02" + op + b"."
        yield code, "behind a dict", b"\x80\x02}" + op + b"."
        yield code, "behind a mark", b"\x80\x02}(" + op + b"."
        yield code, "with an argument", b"\x80\x04}(K\1K\2" + op + b"\1\0\0\0a\n\n."
        yield code, "twice", b"\x80\x02}K\1K\2" + op + op + b"."


def small_torch(pickle):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("archive/data.pkl", pickle)
        made.writestr("archive/version", "3\n")
    return buffer.getvalue()
