"""Pickles of every sort in a .pt file: what torch.load(weights_only=True) refuses, tieout refuses too, file by file.

Where it does not, the row says why: it knows opcodes of plain data that PyTorch's unpickler does not, and keeps a class
that is only named, or an object that PyTorch would make, as a name. One process of PyTorch judges all files.
"""

import collections
import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile

from torch_files import TIEOUT

JUDGE = """
import json, pathlib, sys, warnings
import torch
warnings.simplefilter("ignore")
verdicts = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.pt")):
    try:
        torch.load(path, weights_only=True)
        verdicts[path.stem] = ""
    except Exception as error:
        verdicts[path.stem] = f"{type(error).__name__}: {error}"
print(json.dumps(verdicts))
"""

PROTO, STOP = b"\x80\x02", b"."
NONE, EMPTY, LIST, DICT, MARK = b"N", b")", b"]", b"}", b"("


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    return b"J" + struct.pack("<i", value)


def tuple_of(*items):
    return MARK + b"".join(items) + b"t"


def call(callee, *arguments):
    return callee + tuple_of(*arguments) + b"R"


ORDERED = call(named("collections", "OrderedDict"))
FLOATS = named("torch", "FloatStorage")


def storage(tag="storage", kind=FLOATS, key=None, location=None, count=None, more=()):
    fields = (text(tag), kind, key or text("0"), location or text("cpu"), count or number(24), *more)
    return tuple_of(*fields) + b"Q"


def sizes(*values):
    return tuple_of(*map(number, values))


FIRST, SHAPE, STRIDE = number(0), sizes(2, 3), sizes(3, 1)


def tensor(held=None, offset=FIRST, shape=SHAPE, stride=STRIDE, more=()):
    rebuild = named("torch._utils", "_rebuild_tensor_v2")
    return call(rebuild, held or storage(), offset, shape, stride, b"\x89", ORDERED, *more)


def with_dtype(dtype, count=96):
    held = storage(kind=named("torch.storage", "UntypedStorage"), count=number(count))
    rebuild = named("torch._utils", "_rebuild_tensor_v3")
    return call(rebuild, held, FIRST, SHAPE, STRIDE, b"\x89", ORDERED, named("torch", dtype))


def file_of(value, before=PROTO):
    """A state_dict of one tensor, and the value beside it."""
    return before + ORDERED + text("w") + tensor() + b"s" + text("x") + value + b"s" + STOP


class Id(tuple):
    """Pickled as a persistent id."""


class Tensor:
    def __reduce__(self):
        import torch

        ids = Id(("storage", torch.FloatStorage, "0", "cpu", 24))
        return torch._utils._rebuild_tensor_v2, (ids, 0, (2, 3), (3, 1), False, collections.OrderedDict())


def by_protocol(protocol):
    """Python's own pickler, with the plain values that checkpoints hold."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=protocol)
    pickler.persistent_id = lambda value: tuple(value) if isinstance(value, Id) else None
    pickler.dump({"w": Tensor(), "e": [1, -300, 2**40, 0.5, None, True], "t": ("é", b"\xff", {3}), "i": {7: "a" * 300}})
    return buffer.getvalue()


CALLABLES = [
    "os.system", "posix.system", "builtins.eval", "__builtin__.eval", "builtins.exec", "builtins.compile",
    "builtins.__import__", "builtins.open", "builtins.print", "builtins.type", "builtins.list", "builtins.dict",
    "builtins.object", "subprocess.Popen", "runpy._run_code", "importlib.import_module", "shutil.rmtree", "pickle.loads",
    "functools.partial", "operator.attrgetter", "operator.methodcaller", "collections.defaultdict", "collections.deque",
    "copyreg._reconstructor", "copy_reg._reconstructor", "datetime.datetime", "decimal.Decimal", "pathlib.PosixPath",
    "numpy.load", "numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct",
    "torch.load", "torch.hub.load", "torch.save", "torch.jit.load", "torch.from_file", "torch.ones", "torch.tensor",
    "torch._utils._rebuild_wrapper_subclass", "torch._utils._import_dotted_name", "torch.storage._load_from_bytes",
    "torch.nn.modules.linear.Linear", "torch.nn.modules.container.Sequential", "__main__.Net", "__torch__.Net",
]  # fmt: skip

OK = {  # both read these
    "nothing more": NONE,
    "storage of doubles": tensor(storage(kind=named("torch", "DoubleStorage"), count=number(12))),
    "storage of bools": tensor(storage(kind=named("torch", "BoolStorage"), count=number(96))),
    "storage of complex": tensor(storage(kind=named("torch", "ComplexFloatStorage"), count=number(12))),
    "float8": with_dtype("float8_e4m3fn"),
    "uint16": with_dtype("uint16"),
    "parameter": call(named("torch._utils", "_rebuild_parameter"), tensor(), b"\x88", ORDERED),
    "parameter with state": call(
        named("torch._utils", "_rebuild_parameter_with_state"), tensor(), b"\x88", ORDERED, DICT
    ),
    "size": call(named("torch", "Size"), sizes(2, 3)),
    "device": call(named("torch", "device"), text("cuda"), number(1)),
    "dtype": named("torch", "float32"),
    "bytes": call(named("_codecs", "encode"), text("a\xff"), text("latin1")),
    "set": call(named("__builtin__", "set"), LIST + MARK + number(1) + b"e"),
    "ordered dict of pairs": call(
        named("collections", "OrderedDict"),
        LIST + MARK + tuple_of(text("a"), tensor()) + tuple_of(text("b"), NONE) + b"e",
    ),
    "metadata by BUILD": ORDERED + DICT + text("_metadata") + ORDERED + b"sb",
    "the same tensor again": tuple_of(tensor() + b"q\x07", b"h\x07"),
    "memo slot used twice": tuple_of(text("a") + b"q\x05", NONE + b"q\x05", b"h\x05"),
    "nested in lists": LIST + MARK + tensor() + tuple_of(tensor(), NONE) + b"e",
    "big integer": b"\x8a\x0a" + bytes(range(1, 11)),
    "neg that is off": tensor(more=(DICT + text("neg") + b"\x89s",)),
}
REFUSED = {  # PyTorch's verdict is asked; tieout must not be laxer
    **{f"call of {name}": call(named(*name.rsplit(".", 1)), text("x")) for name in CALLABLES},
    "call of a call": call(call(named("torch", "device"), text("cpu")), text("x")),
    "call of text": call(text("torch.Size"), text("x")),
    "call without a tuple": named("torch", "Size") + LIST + b"R",
    "call of a method": call(call(named("builtins", "getattr"), named("torch", "Size"), text("mro"))),
    "call in the arguments": call(named("torch", "Size"), call(named("os", "system"), text("true"))),
    "call in a persistent id": storage(key=call(named("os", "system"), text("true"))),
    "BUILD of text": text("a") + DICT + b"b",
    "BUILD of a tuple": EMPTY + DICT + b"b",
    "BUILD of a list": LIST + DICT + b"b",
    "BUILD of a class": named("collections", "OrderedDict") + DICT + text("__setstate__") + NONE + b"sb",
    "BUILD twice": ORDERED + DICT + text("__setstate__") + named("os", "system") + b"sb" + text("true") + b"b",
    "INST": MARK + text("true") + b"ios\nsystem\n",
    "OBJ": MARK + named("os", "system") + text("true") + b"o",
    "EXT1": b"\x82\x01",
    "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"\x98",
    "PERSID": b"P0\n",
    "text number": b"I3\n",
    "text float": b"F0.5\n",
    "text string": b"S'a'\n",
    "memo by text": b"g0\n",
    "GET of an empty slot": b"h\x63",
    "LONG_GET of an empty slot": b"j\xff\xff\xff\x7f",
    "items into None": NONE + text("a") + text("b") + b"s",
    "items into a tensor": tensor() + text("a") + text("b") + b"s",
    "odd items": DICT + MARK + text("a") + b"u",
    "append to a tuple": EMPTY + text("a") + b"a",
    "tuple without values": b"\x87" * 3,
    "mark without end": MARK + NONE,
    "end without mark": NONE + b"t",
    "text not UTF-8": b"X\x02\x00\x00\x00\xff\xfe",
    "text longer than the file": b"X\xff\xff\xff\x7fa",
    "id of four fields": tensor(tuple_of(text("storage"), FLOATS, text("0"), text("cpu")) + b"Q"),
    "id of six fields": tensor(storage(more=(NONE,))),
    "id of another tag": tensor(storage(tag="module")),
    "id that is text": tensor(text("storage") + b"Q"),
    "id that is empty": tensor(EMPTY + b"Q"),
    "id of no class": tensor(storage(kind=text("FloatStorage"))),
    "id of another class": tensor(storage(kind=named("collections", "OrderedDict"))),
    "id of a missing key": tensor(storage(key=text("9"))),
    "id of a key outside": tensor(storage(key=text("../0"))),
    "id of a negative count": tensor(storage(count=number(-24))),
    "id of a count that is too large": tensor(storage(count=number(25))),
    "id of a count that is text": tensor(storage(count=text("24"))),
    "tensor of no storage": tensor(NONE),
    "tensor of a tensor": tensor(tensor()),
    "tensor behind its storage": tensor(offset=number(20)),
    "tensor before its storage": tensor(offset=number(-1)),
    "tensor of a negative size": tensor(shape=sizes(-2, 3)),
    "tensor of a negative stride": tensor(stride=sizes(-3, 1)),
    "tensor of more strides": tensor(stride=sizes(3, 1, 1)),
    "tensor of a text size": tensor(shape=text("ab")),
    "dtype that is none": with_dtype("OrderedDict"),
    "dtype that is unknown": with_dtype("float7"),
    "ordered dict of two arguments": call(named("collections", "OrderedDict"), LIST, LIST),
    "ordered dict of no pairs": call(named("collections", "OrderedDict"), LIST + MARK + tuple_of(text("a")) + b"e"),
    "ordered dict of numbers": call(named("collections", "OrderedDict"), LIST + MARK + NONE + b"e"),
    "encode to another codec": call(named("_codecs", "encode"), text("a"), text("rot13")),
}  # fmt: skip
NAMES = {  # PyTorch refuses the class; here it is text
    "object of a function": named("os", "system") + tuple_of(text("true")) + b"\x81",
    "class alone": named("os", "system"),
    "object alone": named("__main__", "Net") + EMPTY + b"\x81",
    "object with a state": named("argparse", "Namespace") + EMPTY + b"\x81" + DICT + text("lr") + NONE + b"sb",
}
PLAIN = {  # opcodes of protocols 3 to 5, which hold the same data
    "POP": NONE + NONE + b"0",
    "DUP": NONE + b"2" + b"0",
    "POP_MARK": NONE + MARK + NONE + b"1",
    "SHORT_BINUNICODE": b"\x8c\x01a",
    "MEMOIZE": NONE + b"\x94",
    "FRAME": b"\x95" + bytes(8) + NONE,
    "SHORT_BINBYTES": b"C\x01a",
    "FROZENSET": MARK + NONE + b"\x91",
    "STACK_GLOBAL": text("torch") + text("float32") + b"\x93",
}
WHOLE = {
    "no protocol": file_of(NONE, b""),
    "protocol byte 3": file_of(NONE, b"\x80\x03"),
    "protocol byte 6": file_of(NONE, b"\x80\x06"),
    "no STOP": file_of(NONE)[:-1],
    "nothing": b"",
    "STOP alone": b".",
    "two values": PROTO + NONE + file_of(NONE)[2:],
    "a dict that holds itself": PROTO + DICT + b"q\x00" + text("w") + tensor() + b"s" + text("me") + b"h\x00s" + STOP,
    **{f"protocol {protocol}": by_protocol(protocol) for protocol in range(6)},
}
LAXER = {*NAMES, *PLAIN, "protocol 3", "protocol 4", "protocol 5"}


def test_no_pickle_is_read_that_pytorch_refuses(tmp_path):
    files = {name: file_of(value) for name, value in {**OK, **REFUSED, **NAMES, **PLAIN}.items()} | WHOLE
    assert len(files) > 120
    for name, content in files.items():
        with zipfile.ZipFile(tmp_path / f"{name}.pt", "w") as archive:
            for record, data in (
                ("data.pkl", content),
                ("byteorder", "little"),
                ("data/0", bytes(96)),
                ("version", "3\n"),
            ):
                archive.writestr(f"archive/{record}", data)
    judged = subprocess.run(
        [sys.executable, "-c", JUDGE, tmp_path], capture_output=True, text=True, timeout=300, check=True
    )
    verdicts = json.loads(judged.stdout)
    assert set(verdicts) == set(files)
    for name in files:
        theirs, ours = verdicts[name], inspect(tmp_path / f"{name}.pt")
        if name in OK:
            assert (theirs, ours) == ("", ""), name
        elif name in LAXER:
            assert theirs and not ours, f"{name}: PyTorch says '{theirs}', tieout '{ours}'"
        else:
            assert ours or not theirs, f"{name}: PyTorch says '{theirs}', tieout reads it"


def inspect(path):
    """What keeps the file from being carried; empty when nothing does."""
    done = subprocess.run([TIEOUT, "inspect", path, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 4, 5), f"{path.name}: {done.stdout}{done.stderr}"
    said = json.loads(done.stdout)
    if done.returncode:
        return said["error"]["message"]
    return " ".join(entry["message"] for entry in said["findings"] if "not read" in entry["message"])
