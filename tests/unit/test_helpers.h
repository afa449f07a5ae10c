/* What the tests of src/ols and src/train share. */
#ifndef TEST_HELPERS_H
#define TEST_HELPERS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The one comparer: fails unless |value - expected| <= tolerance. NaN is close to nothing. */
#define assert_close(value, expected, tolerance)                                                     \
    do {                                                                                             \
        double value_ = (value), expected_ = (expected), tolerance_ = (tolerance);                   \
        if (!(fabs(value_ - expected_) <= tolerance_))                                               \
            fail_msg("%s: %.9g is not %.9g within %g", #value, value_, expected_, tolerance_);       \
    } while (0)

/* 0..1, the same numbers from the same seed everywhere (Knuth's MMIX generator). */
static inline double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

#endif
