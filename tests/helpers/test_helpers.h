/* Shared by all tests in C: cmocka, assert_close for floats, pseudo-random numbers, golden files. */
#ifndef TEST_HELPERS_H
#define TEST_HELPERS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Compares floating-point numbers: fails unless |value - expected| <= tolerance. Also fails if one is NaN. */
#define assert_close(value, expected, tolerance)                                                                       \
    do {                                                                                                               \
        double value_ = (value), expected_ = (expected), tolerance_ = (tolerance);                                     \
        if (!(fabs(value_ - expected_) <= tolerance_))                                                                 \
            fail_msg("%s: %.9g is not %.9g within %g", #value, value_, expected_, tolerance_);                         \
    } while (0)

/* A pseudo-random number in 0..1; the same seed gives the same numbers on every machine (Knuth's MMIX generator). */
static inline double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* Allocates n floats, all 0. The caller frees them. */
static inline float *floats(size_t n)
{
    return (float *)calloc(n, sizeof(float));
}

/* Opens a file of tests/golden. The caller closes it. OLS_TESTS names the folder of the tests if it was moved. */
static inline FILE *open_golden(const char *name)
{
    const char *tests = getenv("OLS_TESTS");
    char path[4096];
    FILE *file;
    snprintf(path, sizeof path, "%s/golden/%s", tests ? tests : TESTS_DIR, name);
    file = fopen(path, "r");
    if (!file) fail_msg("cannot open %s", path);
    return file;
}

#endif
