/* How loops over large arrays are compiled and shared among threads: one version per vector width, chosen when the
 * program starts, since it is built for any x86-64. */
#ifndef VECTORIZE_H
#define VECTORIZE_H

/* Sanitizers instrument the choosing function before they are ready themselves. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif

/* For the body of a VECTORIZED function that is compiled once per block size (plan.h). */
#define INLINE static inline __attribute__((always_inline))

enum {
    PARALLEL_FROM = 32768, /* elements below which a second thread costs more than it saves */
    PARALLEL_PARTS = 16    /* of a large array; fixed, so that results do not depend on the number of threads */
};

/* Runs `statement` for the parts of 0..n, on all cores where n is large; `at` and `m` are a part's start and length. */
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
