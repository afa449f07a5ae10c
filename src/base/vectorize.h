/* How loops over large arrays are compiled and divided among threads, in every folder of src/. */
#ifndef VECTORIZE_H
#define VECTORIZE_H

#include <stddef.h>

/* In front of a function: it is compiled once for each width of vector registers, and the widest that the processor has
 * is chosen when the program starts. Without this, gcc would use the narrow registers that every x86-64 has.
 * A sanitized build has one version: the code that chooses runs before the sanitizer is ready for it. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif

/* In front of a function that VECTORIZED ones call: it becomes part of each of their versions, and is compiled for that
 * version's registers. A constant argument is a constant in its loops. */
#define INLINE static inline __attribute__((always_inline))

enum {
    PARALLEL_FROM = 32768, /* elements; for fewer, starting a second thread costs more time than it saves */
    PARALLEL_PARTS = 16    /* into which more are divided: as many on every machine, so that sums have one order */
};

/* Divides the elements 0..n-1 into PARALLEL_PARTS parts (one where n < PARALLEL_FROM) and runs `statement` for each, in
 * parallel. In the statement, size_t `at` is the first element of the part, and size_t `m` the number of its elements.
 */
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
