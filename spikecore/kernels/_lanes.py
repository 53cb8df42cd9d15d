"""Vectors of 64 lanes for numba kernels: 64 pixels at once, straight from 64 packed bits.

A packed word (uint64) holds the spikes of 64 pixels. Its bits choose between two vectors lane by lane (`pick`): in mask
registers on AVX-512, by shuffles and compares elsewhere (AVX2, SSE, NEON), which is LLVM's choice from portable code.
A vector has 64 lanes of 8, 16 or 32 bits and exists only inside compiled code.

Memory is addressed by plain integers (`array.ctypes.data`), so that one compiled kernel serves read-only maps, slices
and steps alike; the caller keeps the arrays alive and the ranges right. Scratch arrays, whose dtype chooses the lane
width, are ordinary numba arrays.

numba watches only the file of the cached kernel itself: after an edit here, delete `__pycache__/*.nb?`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, models, register_model

LANES = 64
Function = TypeVar("Function", bound=Callable[..., Any])

_BYTE, _INT, _WORD = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def inlined(function: Function) -> Function:
    """A part of kernels that is compiled into each of them."""
    compiled: Function = numba.njit(function, nogil=True, forceinline=True)
    return compiled


def operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """An operation for use in kernels; the function gives its numba signature and the generator of its LLVM code."""
    made: Callable[..., Any] = intrinsic(function)
    return made


class Lanes(types.Type):
    """The numba type of a vector of 64 unsigned integers of `bits` bits."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__(name=f"Lanes({bits})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, _vector(lanes.bits))  # type: ignore[no-untyped-call]  # numba's


def _vector(bits: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), LANES)


def _chosen(context: Any, builder: Any, word: Any) -> Any:
    """The 64 bits of a word as 64 lanes of true or false; lane i is bit i."""
    _, _, features = context.codegen().magic_tuple()
    if "+avx512bw" in features:  # a mask register is just these bits
        return builder.bitcast(word, ir.VectorType(ir.IntType(1), LANES))
    # Elsewhere, each byte is spread over 8 lanes, of which each tests one bit: LLVM finds this by itself on x86 only.
    octets = builder.bitcast(word, ir.VectorType(_BYTE, 8))
    places = ir.Constant(ir.VectorType(_INT, LANES), [lane // 8 for lane in range(LANES)])
    spread = builder.shuffle_vector(octets, ir.Constant(octets.type, ir.Undefined), places)
    tested = builder.and_(spread, ir.Constant(_vector(8), [1 << lane % 8 for lane in range(LANES)]))
    return builder.icmp_unsigned("!=", tested, ir.Constant(_vector(8), [0] * LANES))


def _read(builder: Any, pointer: Any, kind: Any) -> Any:
    loaded = builder.load(builder.bitcast(pointer, kind.as_pointer()))
    loaded.align = 1
    return loaded


def _write(builder: Any, pointer: Any, value: Any) -> Any:
    stored = builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
    stored.align = 1
    return stored


def _element(context: Any, builder: Any, array: Any, value: Any, index: Any) -> Any:
    return builder.gep(context.make_array(array)(context, builder, value).data, [index])


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _BYTE.as_pointer())


@operation
def word_at(typing: Any, address: Any) -> Any:
    """The 8 bytes at an address, first byte lowest: the spikes of 64 pixels."""
    return types.uint64(types.int64), lambda c, b, s, a: _read(b, _pointer(b, a[0]), _WORD)


@operation
def byte_at(typing: Any, address: Any) -> Any:
    """The byte at an address, as a word."""
    return types.uint64(types.int64), lambda c, b, s, a: b.zext(_read(b, _pointer(b, a[0]), _BYTE), _WORD)


@operation
def bytes_at(typing: Any, address: Any) -> Any:
    """The 64 bytes at an address."""
    return Lanes(8)(types.int64), lambda c, b, s, a: _read(b, _pointer(b, a[0]), _vector(8))


@operation
def lanes_from(typing: Any, array: Any, address: Any) -> Any:
    """64 neighbouring values at an address; lanes as wide as the array's elements."""
    lanes = Lanes(array.dtype.bitwidth)
    return lanes(array, types.int64), lambda c, b, s, a: _read(b, _pointer(b, a[1]), _vector(lanes.bits))


@operation
def put_word(typing: Any, address: Any, word: Any) -> Any:
    """Write 8 bytes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _write(builder, _pointer(builder, args[0]), args[1])
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), generate


@operation
def put_lanes(typing: Any, address: Any, lanes: Any) -> Any:
    """Write the lanes to an address of any alignment."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _write(builder, _pointer(builder, args[0]), args[1])
        return context.get_dummy_value()

    return types.void(types.int64, lanes), generate


@operation
def stream_lanes(typing: Any, address: Any, lanes: Any) -> Any:
    """Write the lanes to an address divisible by 64, past the cache: the old line is not read first."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        stored = _write(builder, _pointer(builder, args[0]), args[1])
        stored.align = 64
        stored.set_metadata("nontemporal", builder.module.add_metadata([_INT(1)]))
        return context.get_dummy_value()

    return types.void(types.int64, lanes), generate


@operation
def prefetch(typing: Any, address: Any) -> Any:
    """Ask for the cache line of an address, which need not exist, before it is needed."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT, _INT, _INT])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE.as_pointer()], kind)
        builder.call(ask, [_pointer(builder, args[0]), _INT(0), _INT(3), _INT(1)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@operation
def fence(typing: Any) -> Any:
    """Make streamed writes visible to other threads."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@operation
def lanes_at(typing: Any, array: Any, index: Any) -> Any:
    """64 neighbouring elements of a contiguous array, from a flat index on."""
    lanes = Lanes(array.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _read(builder, _element(context, builder, array, *args), _vector(lanes.bits))

    return lanes(array, types.int64), generate


@operation
def set_lanes(typing: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Write 64 neighbouring elements of a contiguous array, from a flat index on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _write(builder, _element(context, builder, array, *args[:2]), args[2])
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), generate


@operation
def address_of(typing: Any, array: Any, index: Any) -> Any:
    """Where an element of a contiguous array lies, by its flat index."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(_element(context, builder, array, *args), _WORD)

    return types.int64(array, types.int64), generate


@operation
def splat(typing: Any, array: Any, value: Any) -> Any:
    """The value (modulo the lane width) in every lane; lanes as wide as the array's elements."""
    lanes = Lanes(array.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        undefined = ir.Constant(_vector(lanes.bits), ir.Undefined)
        first = builder.insert_element(undefined, builder.trunc(args[1], ir.IntType(lanes.bits)), _INT(0))
        return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES))

    return lanes(array, types.int64), generate


@operation
def pick(typing: Any, word: Any, spiking: Any, silent: Any) -> Any:
    """Lane i of `spiking` where bit i of the word is 1, else of `silent`."""
    return spiking(types.uint64, spiking, spiking), lambda c, b, s, a: b.select(_chosen(c, b, a[0]), a[1], a[2])


@operation
def where_positive(typing: Any, tested: Any, value: Any) -> Any:
    """Lanes of `value` where `tested` is not 0, else 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(_vector(value.bits), [0] * LANES)
        return builder.select(builder.icmp_unsigned("!=", args[0], zero), args[1], zero)

    return value(value, value), generate


@operation
def positive(typing: Any, lanes: Any) -> Any:
    """A word with bit i set where lane i is not 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(_vector(lanes.bits), [0] * LANES)
        return builder.bitcast(builder.icmp_unsigned("!=", args[0], zero), _WORD)

    return types.uint64(lanes), generate


@operation
def less_saturating(typing: Any, left: Any, right: Any) -> Any:
    """Difference left - right, and 0 where that is negative."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = _vector(left.bits)
        kind = ir.FunctionType(vector, [vector, vector])
        name = f"llvm.usub.sat.v{LANES}i{left.bits}"
        function = get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]  # numba's
        return builder.call(function, args)

    return left(left, left), generate


@operation
def plus(typing: Any, left: Any, right: Any) -> Any:
    """Sum, lane by lane, modulo the lane width."""
    return left(left, left), lambda c, b, s, a: b.add(*a)


@operation
def minus(typing: Any, left: Any, right: Any) -> Any:
    """Difference left - right, lane by lane, modulo the lane width."""
    return left(left, left), lambda c, b, s, a: b.sub(*a)


@operation
def both(typing: Any, left: Any, right: Any) -> Any:
    """Bitwise and."""
    return left(left, left), lambda c, b, s, a: b.and_(*a)


@operation
def differ(typing: Any, left: Any, right: Any) -> Any:
    """Bitwise exclusive or."""
    return left(left, left), lambda c, b, s, a: b.xor(*a)


@operation
def either(typing: Any, left: Any, right: Any) -> Any:
    """Bitwise or."""
    return left(left, left), lambda c, b, s, a: b.or_(*a)
