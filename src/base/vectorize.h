/* Macros that compile loops over large arrays for vector registers and divide them among threads. */
#ifndef VECTORIZE_H
#define VECTORIZE_H

#include <stddef.h>

/* Before a function: compiles it once for each width of vector registers. The program selects the widest that the
 * processor has when it starts. Without this, gcc uses only the 128-bit registers that every x86-64 has. A build with
 * AddressSanitizer has one version, because the selection runs before the sanitizer is ready. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif

/* Before a function that VECTORIZED functions call: inlines it always, so that each of their versions compiles it for
 * its own registers. Arguments that are constants become constants in its loops. */
#define INLINE static inline __attribute__((always_inline))

enum {
    PARALLEL_FROM = 32768, /* elements; for fewer, starting threads costs more time than it saves */
    PARALLEL_PARTS = 16    /* of larger arrays; the same number on every machine, so that sums are added in one order */
};

/* Divides the elements 0..n-1 into PARALLEL_PARTS parts (one part if n < PARALLEL_FROM) and runs `statement` for each
 * part, in parallel. In the statement, size_t `at` is the index of the part's first element, and size_t `m` its number
 * of elements. */
#define IN_PARTS(n, statement)                                                                                         \
    do {                                                                                                               \
        int part_, parts_ = (n) < PARALLEL_FROM ? 1 : PARALLEL_PARTS;                                                  \
        _Pragma("omp parallel for schedule(static) if(parts_ > 1)") for (part_ = 0; part_ < parts_; ++part_)           \
        {                                                                                                              \
            size_t at = (size_t)(n)*part_ / parts_;                                                                    \
            size_t m = (size_t)(n) * (part_ + 1) / parts_ - at;                                                        \
            statement;                                                                                                 \
        }                                                                                                              \
    } while (0)

#endif
