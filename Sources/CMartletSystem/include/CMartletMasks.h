// Masks and copies over 16 and 64 bytes.
#pragma once

#include <stdint.h>
#include <string.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

// Swift's own SIMD reductions are slow on 6.3, and <emmintrin.h> clashes inside a Clang module,
// so these use vector extensions. They read 64 bytes: callers keep that much slack.
typedef uint8_t martlet_bytes16 __attribute__((vector_size(16), aligned(1)));
typedef int8_t martlet_lanes16 __attribute__((vector_size(16)));

static inline uint64_t martlet_lanes_to_bits(martlet_lanes16 lanes) {
#if defined(__SSE2__)
    typedef char v16qi __attribute__((vector_size(16)));
    return (uint64_t)(uint16_t)__builtin_ia32_pmovmskb128((v16qi)lanes);
#elif defined(__aarch64__)  // Compiles; untested, for want of a machine.
    const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t picked = vandq_u8((uint8x16_t)lanes, weights);
    return (uint64_t)vaddv_u8(vget_low_u8(picked)) |
           (uint64_t)vaddv_u8(vget_high_u8(picked)) << 8;
#else
#error "Martlet runs on x86-64; the code for arm64 is there but untested"
#endif
}

/// Bit i is set where byte i is a space, tab, CR or LF.
static inline uint64_t martlet_whitespace_mask(const uint8_t *bytes) {
    uint64_t mask = 0;
    for (int block = 0; block < 4; block++) {
        martlet_bytes16 v = *(const martlet_bytes16 *)(bytes + 16 * block);
        martlet_lanes16 hit = (v == ' ') | (v == '\t') | (v == '\r') | (v == '\n');
        mask |= martlet_lanes_to_bits(hit) << (16 * block);
    }
    return mask;
}

static inline uint64_t martlet_load64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint16_t martlet_load16(const uint8_t *bytes) {
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t martlet_load32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/// Bit i is set where byte i is a space or a control character.
static inline uint64_t martlet_blank_mask(const uint8_t *bytes) {
    uint64_t mask = 0;
    for (int block = 0; block < 4; block++) {
        martlet_bytes16 v = *(const martlet_bytes16 *)(bytes + 16 * block);
        mask |= martlet_lanes_to_bits((martlet_lanes16)(v <= ' ')) << (16 * block);
    }
    return mask;
}

/// The index of the lowest bit that is set; there must be one.
static inline intptr_t martlet_first_bit(uint64_t mask) { return __builtin_ctzll(mask); }

/// Whether `count` bytes are the same, at least one; reads none besides. Subjects are short, so
/// that a call of memcmp costs more than the comparison.
__attribute__((always_inline)) static inline _Bool martlet_equal(const uint8_t *a, const uint8_t *b, intptr_t count) {
    if (count < 8) {
        if (count < 4)
            return a[0] == b[0] && a[count >> 1] == b[count >> 1] && a[count - 1] == b[count - 1];
        return martlet_load32(a) == martlet_load32(b)
            && martlet_load32(a + count - 4) == martlet_load32(b + count - 4);
    }
    for (intptr_t i = 0; i < count - 8; i += 8)
        if (martlet_load64(a + i) != martlet_load64(b + i)) return 0;
    return martlet_load64(a + count - 8) == martlet_load64(b + count - 8);
}

/// Copies `count` bytes; may write and read up to 15 bytes past them, which callers keep as slack.
/// Most frames are under 64 bytes, where a call of memcpy costs more than the copy, and most parts
/// of one are under 16, where a loop that the compiler unrolls does too.
static inline void martlet_copy_slack16(uint8_t *to, const uint8_t *from, intptr_t count) {
    *(martlet_bytes16 *)to = *(const martlet_bytes16 *)from;
    if (__builtin_expect(count <= 16, 1)) return;
    if (count > 64) {
        memcpy(to, from, (size_t)count);
        return;
    }
    *(martlet_bytes16 *)(to + 16) = *(const martlet_bytes16 *)(from + 16);
    if (count <= 32) return;
    *(martlet_bytes16 *)(to + 32) = *(const martlet_bytes16 *)(from + 32);
    if (count <= 48) return;
    *(martlet_bytes16 *)(to + 48) = *(const martlet_bytes16 *)(from + 48);
}
