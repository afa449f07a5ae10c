/* Tests of random_beta: mean, variance and distribution are those of the theory. */
#include "data/random_beta.h"
#include "helpers/test_helpers.h"

#include <stdlib.h>

enum { DRAWS = 100000 };

static void mean_and_variance_are_those_of_the_distribution(void **test)
{
    static const double pairs[][2] = {{1, 1}, {.2, .2}, {.5, .5}, {.01, .01}, {4, 4},  {100, 100},
                                      {1, 3}, {5, 2},   {.3, 2},  {2, .3},    {.1, .7}};
    size_t i;
    int n;
    (void)test;
    for (i = 0; i < COUNT(pairs); ++i) {
        const double a = pairs[i][0], b = pairs[i][1], mean = a / (a + b);
        const double variance = a * b / ((a + b) * (a + b) * (a + b + 1));
        double sum = 0, squares = 0, fourth = 0;
        uint64_t stream = i + 1;
        for (n = 0; n < DRAWS; ++n) {
            const double x = random_beta(&stream, a, b), d = (x - mean) * (x - mean);
            assert_true(x >= 0 && x <= 1);
            sum += x;
            squares += d;
            fourth += d * d;
        }
        /* within four standard errors */
        assert_close(sum / DRAWS, mean, 4 * sqrt(variance / DRAWS));
        assert_close(squares / DRAWS, variance, 4 * sqrt((fourth / DRAWS - variance * variance) / DRAWS));
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distribution functions that have a closed form. */
static double uniform(double x)
{
    return x;
}

static double arcsine(double x)
{
    return 2 / 3.14159265358979323846 * asin(sqrt(x));
}

static double cubic(double x)
{
    return x * x * x;
}

static double root(double x)
{
    return 1 - sqrt(1 - x);
}

static double parabola(double x)
{
    return x * x * (3 - 2 * x);
}

/* By the test of Kolmogorov and Smirnov, whose statistic is above 1.95 once in a thousand times. */
static void the_distribution_is_that_of_its_closed_form(void **test)
{
    static const struct {
        double a, b, (*distribution)(double);
    } cases[] = {{1, 1, uniform}, {.5, .5, arcsine}, {3, 1, cubic}, {1, .5, root}, {2, 2, parabola}};
    static double x[DRAWS];
    size_t i;
    int n;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i) {
        uint64_t stream = 100 + i;
        double distance = 0;
        for (n = 0; n < DRAWS; ++n) x[n] = random_beta(&stream, cases[i].a, cases[i].b);
        qsort(x, DRAWS, sizeof *x, ascending);
        for (n = 0; n < DRAWS; ++n) distance = fmax(distance, fabs(cases[i].distribution(x[n]) - (n + .5) / DRAWS));
        assert_true(distance * sqrt(DRAWS) < 1.95);
    }
}

/* Gamma numbers of such parameters are 0 as doubles, and their quotient would be no number. */
static void tiny_parameters_give_0_or_1_as_often(void **test)
{
    uint64_t stream = 1;
    int n, ones = 0;
    (void)test;
    for (n = 0; n < 10000; ++n) {
        const double x = random_beta(&stream, 1e-40, 1e-40);
        assert_true(x == 0 || x == 1);
        ones += x == 1;
    }
    assert_close(ones, 5000, 200);
}

static void a_stream_repeats_its_numbers(void **test)
{
    uint64_t stream = 7, again = 7, other = 8;
    const double first = random_beta(&stream, .4, .4), second = random_beta(&stream, .4, .4);
    (void)test;
    assert_true(first == random_beta(&again, .4, .4) && second == random_beta(&again, .4, .4));
    assert_true(first != second && first != random_beta(&other, .4, .4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_variance_are_those_of_the_distribution),
        cmocka_unit_test(the_distribution_is_that_of_its_closed_form),
        cmocka_unit_test(tiny_parameters_give_0_or_1_as_often),
        cmocka_unit_test(a_stream_repeats_its_numbers),
    };
    return cmocka_run_group_tests_name("random_beta", tests, 0, 0) != 0;
}
