// Masks over 16 bytes of JSON text, and the hash of a key.
#pragma once

#include "CMartletMasks.h"

// Swift leaves these as calls otherwise, in functions that are large already.
#define MARTLET_INLINE static inline __attribute__((always_inline))

/// Bit i is set where byte i ends a run of plain string bytes: a quote, a backslash, a control
/// character or a byte of a character outside ASCII (which is negative, hence below a space).
MARTLET_INLINE uint32_t martlet_json_string_stops(const uint8_t *bytes) {
    martlet_bytes16 v = *(const martlet_bytes16 *)bytes;
    // With a bit inverted, quotes are 0x20 and spaces 0x22: one comparison for quotes, control
    // characters and what is negative. With all others inverted too, they are what is greater, and
    // the comparison needs no copy of its constant.
    v ^= 0xFD;
    martlet_lanes16 low = (martlet_lanes16)v > (martlet_lanes16){} + ~0x21;
    martlet_lanes16 stops = (v == ('\\' ^ 0xFD)) | low;
    return (uint32_t)martlet_lanes_to_bits(stops);
}

/// Bit i is set where byte i is not a digit.
MARTLET_INLINE uint32_t martlet_json_digit_stops(const uint8_t *bytes) {
    martlet_bytes16 v = *(const martlet_bytes16 *)bytes;
    // Digits become the ten lowest of signed bytes, whose comparison is one instruction.
    martlet_lanes16 stops = (martlet_lanes16)(v - '0' + 0x80) > (martlet_lanes16){} - 119;
    return (uint32_t)martlet_lanes_to_bits(stops);
}

/// Bit i is set where byte i is not white space.
MARTLET_INLINE uint32_t martlet_json_blank_stops(const uint8_t *bytes) {
    martlet_bytes16 v = *(const martlet_bytes16 *)bytes;
    martlet_lanes16 blank = (v == ' ') | (v == '\t') | (v == '\r') | (v == '\n');
    return (uint32_t)martlet_lanes_to_bits(~blank);
}

/// How many of 16 bytes are spaces, before the first that is not.
MARTLET_INLINE uint32_t martlet_json_spaces(const uint8_t *bytes) {
    martlet_bytes16 v = *(const martlet_bytes16 *)bytes;
    martlet_lanes16 spaces = v == ' ';
    return (uint32_t)__builtin_ctz((uint32_t)martlet_lanes_to_bits(spaces) ^ 0x1FFFF);
}

/// How many of 15 bytes are whole characters of three bytes, U+0800 to U+FFFF, but for those that
/// need a look at the second byte (0xE0, 0xED). Japanese and Chinese are hardly anything else: five
/// at once are a quarter of the instructions of one by one.
MARTLET_INLINE uint32_t martlet_json_triples(const uint8_t *bytes) {
    static const martlet_bytes16 mask = {0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0,
                                         0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0};
    static const martlet_bytes16 form = {0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80, 0xE0, 0x80,
                                         0x80, 0xE0, 0x80, 0x80, 0xE0, 0x80, 0x80, 0xFF};
    martlet_bytes16 v = *(const martlet_bytes16 *)bytes;
    martlet_lanes16 others = (v == 0xE0) | (v == 0xED) | ~((v & mask) == form);
    // The last byte never fits: there is always a first one.
    uint32_t fitting = (uint32_t)__builtin_ctz((uint32_t)martlet_lanes_to_bits(others));
    return 3 * (fitting * 11 >> 5);
}

/// The first eight bytes of a key of `count` bytes, zeros behind a shorter one. Reads eight bytes.
MARTLET_INLINE uint64_t martlet_json_key_start(const uint8_t *bytes, intptr_t count) {
    static const uint64_t first_bytes[9] = {
        0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
        0xFFFFFFFFFFFFFFFF};
    uint64_t start = martlet_load64(bytes);
    return __builtin_expect(count <= 8, 1) ? start & first_bytes[count] : start;
}

/// Two random factors of 128 bits, drawn once by each process.
struct martlet_key_seed {
    uint64_t low[2], high[2];
};

/// The upper half of `word` times a factor, modulo 2^128.
MARTLET_INLINE uint64_t martlet_key_product(uint64_t word, uint64_t low, uint64_t high) {
    return (uint64_t)((unsigned __int128)word * low >> 64) + word * high;
}

/// What comes before the last eight bytes of a long key, as a polynomial modulo 2^61 - 1 whose
/// place is secret: two such keys of n bytes agree with a chance below n / 2^58.
__attribute__((noinline, unused)) static uint64_t martlet_long_key(const uint8_t *bytes, intptr_t count, uint64_t place) {
    const uint64_t prime = ((uint64_t)1 << 61) - 1;
    place &= prime >> 1;
    uint64_t state = (uint64_t)count;
    for (intptr_t i = 0; i < count - 8; i += 4) {
        unsigned __int128 product = (unsigned __int128)(state + martlet_load32(bytes + i)) * place;
        state = ((uint64_t)product & prime) + (uint64_t)(product >> 61);
        if (state >= prime) state -= prime;
    }
    return state;
}

/// A hash of a key of `count` bytes. Reads eight bytes, or `count` where that is more.
///
/// It is multiply-shift (Dietzfelbinger et al., 1997), for one word and for two: whoever does not
/// know the factors cannot choose two keys that share a hash with more than a chance of 3 / 2^32,
/// or its upper n bits with more than 3 / 2^n. Lower bits have no such promise. Only keys of up to 16 bytes that differ in nothing but how
/// often their bytes are repeated have the same words; at most nine do.
MARTLET_INLINE uint32_t martlet_json_key_hash(
    const uint8_t *bytes, intptr_t count, struct martlet_key_seed seed) {
    if (__builtin_expect(count <= 8, 1))
        return (uint32_t)((martlet_json_key_start(bytes, count) * seed.high[0]) >> 32);
    uint64_t first = __builtin_expect(count <= 16, 1)
        ? martlet_load64(bytes) : martlet_long_key(bytes, count, seed.low[0]);
    uint64_t state = martlet_key_product(first, seed.low[0], seed.high[0])
        + martlet_key_product(martlet_load64(bytes + count - 8), seed.low[1], seed.high[1]);
    return (uint32_t)(state >> 32);
}

/// Copies a document. A loop of wide moves: for some thousands of bytes that is faster to begin than
/// what memcpy chooses there.
static inline void martlet_json_copy(uint8_t *to, const uint8_t *from, intptr_t count) {
    intptr_t done = 0;
    for (; done + 64 <= count; done += 64)
        for (int block = 0; block < 64; block += 16)
            *(martlet_bytes16 *)(to + done + block) =
                *(const martlet_bytes16 *)(from + done + block);
    memcpy(to + done, from + done, (size_t)(count - done));
}
