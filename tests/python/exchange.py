"""Exchanges XML-RPC documents with a test, by Python's own xmlrpc.client; a line in, a line out.

echo BASE64        reads a reply and answers it as Python writes it
describe BASE64    reads a reply and describes its value
make SEED          makes a random value; answers its description and the reply that holds it
same SEED BASE64   whether a reply holds the value that `make SEED` made: `ok`, or both
"""

import base64
import random
import struct
import sys
import xmlrpc.client


def describe(value):
    """The value as text that both sides can write: exact, and the same whatever the order of members."""
    if value is None:
        return "n"
    if isinstance(value, bool):
        return f"b{int(value)}"
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return "d" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value.encode().hex()
    if isinstance(value, xmlrpc.client.DateTime):
        return f"t{value.value}"
    if isinstance(value, xmlrpc.client.Binary):
        return "x" + value.data.hex()
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(describe, value)) + "]"
    return "{" + ",".join(sorted(name.encode().hex() + "=" + describe(it) for name, it in value.items())) + "}"


def text(dice):
    pieces = ["a", " ", "<", ">", "&", '"', "'", "]]>", "\t", "\n", "é", "数据", "\U0001f600", "&amp;", "\u2028", "\x7f", "0", "-7"]
    return "".join(dice.choice(pieces) for _ in range(dice.randrange(9)))


def make(dice, depth=4):
    kind = dice.randrange(9 if depth else 7)
    if kind == 0:
        return text(dice)
    if kind == 1:
        return dice.choice([0, 1, -1, 2**31 - 1, -(2**31), dice.randrange(-1000, 1000)])
    if kind == 2:
        return dice.random() < 0.5
    if kind == 3:
        # Fifteen digits: xapi's `%.16g` does not carry seventeen.
        return dice.choice([0.0, -0.0, 1.0, 0.1, 1e300, float("inf"), float("-inf"), round(dice.uniform(-1e6, 1e6), 6)])
    if kind == 4:
        return xmlrpc.client.DateTime(dice.randrange(0, 2**31))
    if kind == 5:
        return xmlrpc.client.Binary(dice.randbytes(dice.randrange(9)))
    if kind == 6:
        return None
    if kind == 7:
        return [make(dice, depth - 1) for _ in range(dice.randrange(5))]
    return {text(dice): make(dice, depth - 1) for _ in range(dice.randrange(5))}


def load(words):
    ((reply,), method) = xmlrpc.client.loads(base64.b64decode(words))
    assert method is None
    return reply


def dump(reply):
    document = xmlrpc.client.dumps((reply,), methodresponse=True, allow_none=True)
    return base64.b64encode(document.encode()).decode()


def answer(command, *words):
    if command == "echo":
        return dump(load(words[0]))
    if command == "describe":
        return describe(load(words[0])["Value"])
    value = make(random.Random(int(words[0])))
    if command == "make":
        return f"{describe(value)} {dump({'Status': 'Success', 'Value': value})}"
    found = load(words[1])["Value"]
    return "ok" if describe(found) == describe(value) else f"{describe(found)} is not {describe(value)}"


for line in sys.stdin:
    print(answer(*line.split()), flush=True)
