"""The signature rule of PROTOCOL, slow and readable: whole integers, affine coordinates, no library.

It is the twin against which the fast `signatures.verify` is measured. Curve: −x² + y² = 1 + d·x²·y² over p.
"""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(left: Point, right: Point) -> Point:
    x1, y1 = left
    x2, y2 = right
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def multiply(factor: int, point: Point) -> Point:
    result = IDENTITY
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def negative(point: Point) -> Point:
    return -point[0] % P, point[1]


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point that `data` encodes canonically, or None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if (x * x - x_squared) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x_squared) % P or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


BASE: Point = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or IDENTITY


def torsion() -> list[Point]:
    """The eight points whose order divides eight: any point of the curve, times L, is one of them."""
    found = {IDENTITY}
    y = 2
    while len(found) < 8:
        point = decode(y.to_bytes(32, "little"))
        if point is not None:
            found.add(multiply(L, point))
        y += 1
    return sorted(found)


def challenge(key: bytes, commitment: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(commitment + key + message).digest(), "little") % L


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 with S < L, canonical A and R, neither of small order, and the equation without the factor 8."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = decode(key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if IDENTITY in (multiply(8, a), multiply(8, r)):
        return False
    h = challenge(key, signature[:32], message)
    return multiply(s, BASE) == add(r, multiply(h, a))
