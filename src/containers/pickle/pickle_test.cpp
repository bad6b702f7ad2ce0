#include <doctest/doctest.h>

#include "containers/pickle/pickle_reader.h"
#include "containers/pickle/pickle_writer.h"

namespace tieout {
namespace {

// CPython 3.11, pickle.dumps of OrderedDict(k=[1, -1, 300, 70000, -2**40, 1.5, None, True, False],
// t=(("a", "é"), b"\xff\x00", {1: 2}, {3}), self=l) with l = [l].
constexpr std::string_view python_protocol_2 =
    "800263636f6c6c656374696f6e730a4f726465726564446963740a7100295271012858010000006b71025d7103284b014aff"
    "ffffff4d2c014a701101008a060000000000ff473ff80000000000004e888965580100000074710428580100000061710558"
    "02000000c3a97106867107635f636f646563730a656e636f64650a71085803000000c3bf00710958060000006c6174696e31"
    "710a86710b52710c7d710d4b014b0273635f5f6275696c74696e5f5f0a7365740a710e5d710f4b0361857110527111747112"
    "580400000073656c6671135d7114681461752e";
constexpr std::string_view python_protocol_4 =
    "8004957f000000000000008c0b636f6c6c656374696f6e73948c0b4f72646572656444696374949394295294288c016b945d"
    "94284b014affffffff4d2c014a701101008a060000000000ff473ff80000000000004e8889658c017494288c0161948c02c3"
    "a99486944302ff00947d944b014b02738f94284b039074948c0473656c66945d94680f61752e";

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// "byte 2: message" of the Error(malformed) that reading gives; empty when it gives none.
std::string refusal(std::string_view text) {
  try {
    static_cast<void>(read_pickle(bytes_of(text), plain_callables(), {}));
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::malformed);
    return error.describe();
  }
}

void check_example(const PickleTree& tree) {
  const PickleNode root = tree.root();
  REQUIRE(root.pairs() == 3);
  const PickleNode list = *root.find("k");
  REQUIRE(list.size() == 9);
  CHECK(list.item(1).integer() == -1);
  CHECK(list.item(2).integer() == 300);
  CHECK(list.item(3).integer() == 70000);
  CHECK(list.item(4).integer() == -1099511627776);
  CHECK(list.item(5).real() == 1.5);
  CHECK(list.item(6).is(PickleKind::none));
  CHECK(list.item(7).boolean());
  CHECK_FALSE(list.item(8).boolean());
  const PickleNode tuple = *root.find("t");
  CHECK(tuple.item(0).item(1).text() == "\xc3\xa9");
  CHECK(tuple.item(1).bytes() == std::string_view("\xff\0", 2));
  CHECK(tuple.item(2).key(0).integer() == 1);
  CHECK(tuple.item(3).item(0).integer() == 3);
  const PickleNode self = *root.find("self");
  CHECK(self.item(0).index() == self.index());
}

TEST_CASE("pickle: reads what Python wrote, protocols 2 and 4") {
  for (const std::string_view hex : {python_protocol_2, python_protocol_4}) {
    check_example(read_pickle(from_hex(hex), plain_callables(), {}));
  }
}

TEST_CASE("pickle: cut anywhere it is malformed") {
  for (const std::string_view hex : {python_protocol_2, python_protocol_4}) {
    std::vector<std::byte> bytes = from_hex(hex);
    while (!bytes.empty()) {
      bytes.pop_back();
      CHECK_THROWS_AS(read_pickle(bytes, plain_callables(), {}), Error);
    }
  }
}

TEST_CASE("pickle: calls are refused by name and never done") {
  CHECK(refusal("\x80\x02"
                "cos\nsystem\nX\x02\0\0\0id\x85R.") != "");
  CHECK(refusal(std::string_view("\x80\x02"
                                 "cos\nsystem\nU\x02id\x85R.")) ==
        "byte 18: the pickle calls 'os.system', which is not plain data; nothing was run");
  CHECK(refusal("\x80\x02U\x01xU\x01y\x85R.") == "byte 9: the pickle calls a string; nothing was run");
  // A name alone does nothing, nor does an object of a class that is never looked up.
  CHECK(refusal("\x80\x02"
                "cos\nsystem\n.") == "");
  CHECK(refusal("\x80\x02"
                "cos\nsystem\n)\x81.") == "");
}

TEST_CASE("pickle: each lie is found") {
  CHECK(refusal("\x80\x02N") == "byte 3: expected 1 bytes of pickle; it ends without STOP, found 0");
  CHECK(refusal("\x80\x02.") == "byte 2: the pickle ends with values left over");
  CHECK(refusal("\x80\x02NN.") == "byte 4: the pickle ends with values left over");
  CHECK(refusal("\x80\x02N.N") == "byte 4: bytes are left after the pickle");
  CHECK(refusal("\x80\x02h\x07.") == "byte 2: memo slot 7 was never filled");
  CHECK(refusal("\x80\x02Nr\xff\xff\xff\xff.") == "");
  CHECK(refusal("\x80\x02(t(.") == "byte 5: the pickle ends with values left over");
  CHECK(refusal("\x80\x02t.") == "byte 2: the pickle takes a mark that is not there");
  CHECK(refusal("\x80\x02N(\x85.") == "byte 4: the pickle takes a value that is not there");
  CHECK(refusal("\x80\x02}(Nu.") == "byte 5: a key of a dict has no value");
  CHECK(refusal("\x80\x02NNa.") == "byte 4: items are put into None");
  CHECK(refusal("\x80\x02NNb.") == "byte 4: a state is given to None");
  CHECK(refusal("\x80\x02}NbNb.") == "byte 6: a state is given to an object a second time");
  CHECK(refusal("\x80\x07N.") == "byte 0: pickle protocol 7 is not one of 2 to 5");
  CHECK(refusal("\x80\x02U\x01\xff.") == "byte 2: a string of the pickle is not UTF-8");
  CHECK(refusal("\x80\x02I1\n.") ==
        "byte 2: opcode 73 is unknown or not plain data; pickles are read, never run");
  CHECK(refusal("\x80\x02" + std::string(2000, '(') + ".") ==
        "byte 1002: the pickle is nested more than 1000 deep");
}

TEST_CASE("pickle: what the writer writes reads back") {
  PickleWriter writer;
  writer.global("collections", "OrderedDict");
  writer.empty_tuple();
  writer.reduce();
  writer.mark();
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{255}, std::int64_t{256}, std::int64_t{65536},
                                   std::int64_t{-1}, std::int64_t{1} << 40, -(std::int64_t{1} << 40)}) {
    writer.text("key " + std::to_string(value));
    writer.integer(value);
  }
  writer.text("again");
  writer.text("again");
  writer.set_items();
  const PickleTree tree = read_pickle(bytes_of(writer.finish()), plain_callables(), {});
  REQUIRE(tree.root().pairs() == 8);
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(tree.root().key(i).text() == "key " + std::to_string(tree.root().value(i).integer()));
  }
  CHECK(tree.root().value(7).text() == "again");
}

// Python 2.7, pickle.dumps(OrderedDict([("a", 1), ("b", None)]), 2).
TEST_CASE("an ordered dict of Python 2 is made of a list of pairs") {
  using namespace std::string_view_literals;
  constexpr auto python_2 =
      "\x80\x02"
      "ccollections\nOrderedDict\nq\x00]q\x01(]q\x02(U\x01"
      "aq\x03K\x01"
      "e]q\x04(U\x01"
      "bq\x05Nee\x85q\x06Rq\x07."sv;
  const PickleTree tree = read_pickle(bytes_of(python_2), plain_callables(), {});
  REQUIRE(tree.root().pairs() == 2);
  CHECK(tree.root().find("a")->integer() == 1);
  CHECK(tree.root().find("b")->is(PickleKind::none));
}

TEST_CASE("one list that is copied again and again is refused") {
  std::string bomb("\x80\x02]q\x01(", 6);
  for (int i = 0; i < 1000; ++i) bomb += "N";
  bomb += "e0";
  for (int i = 0; i < 1000; ++i) bomb += "c__builtin__\nset\nh\x01\x85R0";
  CHECK(refusal(bomb + "N.").find("again and again") != std::string::npos);
}

}  // namespace
}  // namespace tieout
