/* Tests of random_stream.h: what a seed repeats, what differs, and when C's rand is still used. */
#include "helpers/test_helpers.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* C's own rand, before the header redefines the name as in Darknet's sources. */
static int (*const c_rand)(void) = rand;

#include "data/random_stream.h"

enum { DRAWS = 100, PARTS = 3, LOADS = 5 };

/* Draws this thread's next numbers with the name that Darknet's sources use. */
static void draw(int numbers[DRAWS])
{
    int i;
    for (i = 0; i < DRAWS; ++i) numbers[i] = rand();
}

static void draw_from(unsigned long long stream, int numbers[DRAWS])
{
    random_use_stream(stream);
    draw(numbers);
    random_use_stream(0);
}

/* The number of places at which two sequences are equal. */
static int agreeing(const int a[DRAWS], const int b[DRAWS])
{
    int i, n = 0;
    for (i = 0; i < DRAWS; ++i) n += a[i] == b[i];
    return n;
}

/* All numbers that a training draws whose first load has number `first`. */
static void draw_loads(unsigned seed, unsigned long long first, int loads, int numbers[][PARTS][DRAWS])
{
    int load, part;
    random_set_seed(seed);
    random_begin_loads(first);
    for (load = 0; load < loads; ++load)
        for (part = 0; part < PARTS; ++part) draw_from(random_next_stream(part), numbers[load][part]);
}

/* The state without a seed cannot be restored, so these two tests come first. */
static void without_a_seed_the_time_is_the_seed_of_the_whole_run(void **test)
{
    time_t before = time(0);
    unsigned seed = random_seed();
    struct timespec moment = {0, 10000000};
    (void)test;
    assert_in_range(seed, (unsigned)before, (unsigned)time(0));
    while (time(0) == before) nanosleep(&moment, 0);
    assert_int_equal(random_seed(), seed);
}

static void there_are_no_streams_before_loads_are_numbered(void **test)
{
    int part;
    (void)test;
    for (part = 0; part < PARTS; ++part) assert_true(random_next_stream(part) == 0);
}

static void a_set_seed_is_the_seed_of_the_run(void **test)
{
    (void)test;
    random_set_seed(123);
    assert_int_equal(random_seed(), 123);
    random_set_seed(0);
    assert_int_equal(random_seed(), 0);
}

static void a_seed_repeats_every_number(void **test)
{
    static int once[LOADS][PARTS][DRAWS], again[LOADS][PARTS][DRAWS];
    (void)test;
    draw_loads(7, 0, LOADS, once);
    srand(99); /* the program's other random numbers must have no effect */
    c_rand();
    draw_loads(7, 0, LOADS, again);
    assert_memory_equal(once, again, sizeof once);
}

static void seeds_loads_and_parts_all_have_numbers_of_their_own(void **test)
{
    enum { SEEDS = 3, ALL = SEEDS * LOADS * PARTS };
    static int numbers[SEEDS][LOADS][PARTS][DRAWS];
    int(*all)[DRAWS] = &numbers[0][0][0];
    int seed, i, j;
    (void)test;
    for (seed = 0; seed < SEEDS; ++seed) draw_loads(seed, 0, LOADS, numbers[seed]);
    for (i = 0; i < ALL; ++i)
        for (j = 0; j < i; ++j) assert_int_equal(agreeing(all[i], all[j]), 0);
}

static void a_resumed_numbering_draws_what_the_cut_off_run_would_have_drawn(void **test)
{
    static int straight[LOADS][PARTS][DRAWS], resumed[LOADS][PARTS][DRAWS];
    int first;
    (void)test;
    draw_loads(7, 0, LOADS, straight);
    for (first = 0; first < LOADS; ++first) {
        draw_loads(7, first, LOADS - first, resumed);
        assert_memory_equal(resumed, straight[first], (LOADS - first) * sizeof resumed[0]);
    }
}

/* A run with fewer loader threads draws the same numbers in the threads that it has. */
static void a_stream_depends_on_its_own_load_and_part_alone(void **test)
{
    static int all[2][PARTS][DRAWS];
    int numbers[DRAWS];
    (void)test;
    draw_loads(7, 0, 2, all);
    random_begin_loads(0);
    random_next_stream(0);
    draw_from(random_next_stream(2), numbers); /* part 1 left out */
    assert_memory_equal(numbers, all[0][2], sizeof numbers);
    draw_from(random_next_stream(0), numbers);
    assert_memory_equal(numbers, all[1][0], sizeof numbers);
}

static void a_thread_without_a_stream_draws_the_numbers_of_c_rand(void **test)
{
    int expected[DRAWS], numbers[DRAWS], i;
    (void)test;
    random_use_stream(0);
    srand(5);
    for (i = 0; i < DRAWS; ++i) expected[i] = c_rand();
    srand(5);
    draw(numbers);
    assert_memory_equal(numbers, expected, sizeof numbers);
}

/* A trainer's stream leaves the sequence of C's rand where it was. */
static void a_stream_takes_nothing_from_c_rand(void **test)
{
    int expected[DRAWS], numbers[DRAWS], i;
    (void)test;
    srand(5);
    for (i = 0; i < DRAWS; ++i) expected[i] = c_rand();
    srand(5);
    random_begin_loads(0);
    draw_from(random_next_stream(0), numbers);
    assert_true(agreeing(numbers, expected) < 3);
    draw(numbers);
    assert_memory_equal(numbers, expected, sizeof numbers);
}

typedef struct {
    unsigned long long stream;
    int numbers[DRAWS];
} worker;

static void *work(void *pointer)
{
    worker *w = (worker *)pointer;
    int i;
    random_use_stream(w->stream);
    for (i = 0; i < DRAWS; ++i) {
        w->numbers[i] = rand();
        sched_yield();
    }
    return 0;
}

static void threads_side_by_side_draw_from_their_own_streams(void **test)
{
    enum { WORKERS = 8 };
    static worker workers[WORKERS];
    pthread_t threads[WORKERS];
    int expected[DRAWS], own[DRAWS], i;
    (void)test;
    random_set_seed(3);
    random_begin_loads(0);
    for (i = 0; i < WORKERS; ++i) workers[i].stream = random_next_stream(i);
    srand(5);
    for (i = 0; i < DRAWS; ++i) expected[i] = c_rand();
    srand(5);
    for (i = 0; i < WORKERS; ++i) assert_int_equal(pthread_create(&threads[i], 0, work, &workers[i]), 0);
    for (i = 0; i < WORKERS; ++i) pthread_join(threads[i], 0);
    draw(own); /* this thread has no stream, and the streams of others do not affect it */
    assert_memory_equal(own, expected, sizeof own);
    for (i = 0; i < WORKERS; ++i) {
        draw_from(workers[i].stream, expected);
        assert_memory_equal(workers[i].numbers, expected, sizeof expected);
    }
}

/* Chi-square statistic of n equally likely buckets, in standard deviations from its mean (about normal for n >= 30).
 * The seeds are fixed, so the test never fails by chance; a good generator stays far below 4. */
static double chi_square(const int *buckets, int n)
{
    double draws = 0, sum = 0;
    int i;
    for (i = 0; i < n; ++i) draws += buckets[i];
    for (i = 0; i < n; ++i) sum += (buckets[i] - draws / n) * (buckets[i] - draws / n) / (draws / n);
    return fabs(sum - (n - 1)) / sqrt(2. * (n - 1));
}

/* Tested by size, and by remainder, which Darknet uses to choose an image. */
static void the_numbers_of_a_stream_are_uniform(void **test)
{
    enum { N = 200000, BUCKETS = 100 };
    static int high[BUCKETS], low[BUCKETS], pairs[BUCKETS];
    int i, last = 0;
    double mean = 0;
    (void)test;
    random_set_seed(1);
    random_begin_loads(0);
    random_use_stream(random_next_stream(0));
    for (i = 0; i < N; ++i) {
        int number = rand();
        assert_true(number >= 0 && number <= RAND_MAX);
        ++high[(int)(number / (RAND_MAX + 1.) * BUCKETS)];
        ++low[number % BUCKETS];
        if (i % 2) ++pairs[last % 10 * 10 + number % 10];
        last = number;
        mean += number / (double)RAND_MAX / N;
    }
    random_use_stream(0);
    assert_close(mean, .5, .003);
    assert_true(chi_square(high, BUCKETS) < 4);
    assert_true(chi_square(low, BUCKETS) < 4);
    assert_true(chi_square(pairs, BUCKETS) < 4);
}

/* Loads and parts have consecutive numbers; the first numbers of their streams must be independent nevertheless. */
static void the_first_numbers_of_streams_are_uniform(void **test)
{
    enum { N = 20000, BUCKETS = 100 };
    static int loads[BUCKETS], parts[BUCKETS];
    int i;
    (void)test;
    random_set_seed(1);
    random_begin_loads(0);
    for (i = 0; i < N; ++i) {
        random_use_stream(random_next_stream(0));
        ++loads[rand() % BUCKETS];
    }
    for (i = 1; i <= N; ++i) {
        random_use_stream(random_next_stream(i));
        ++parts[rand() % BUCKETS];
    }
    random_use_stream(0);
    assert_true(chi_square(loads, BUCKETS) < 4);
    assert_true(chi_square(parts, BUCKETS) < 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_seed_the_time_is_the_seed_of_the_whole_run),
        cmocka_unit_test(there_are_no_streams_before_loads_are_numbered),
        cmocka_unit_test(a_set_seed_is_the_seed_of_the_run),
        cmocka_unit_test(a_seed_repeats_every_number),
        cmocka_unit_test(seeds_loads_and_parts_all_have_numbers_of_their_own),
        cmocka_unit_test(a_resumed_numbering_draws_what_the_cut_off_run_would_have_drawn),
        cmocka_unit_test(a_stream_depends_on_its_own_load_and_part_alone),
        cmocka_unit_test(a_thread_without_a_stream_draws_the_numbers_of_c_rand),
        cmocka_unit_test(a_stream_takes_nothing_from_c_rand),
        cmocka_unit_test(threads_side_by_side_draw_from_their_own_streams),
        cmocka_unit_test(the_numbers_of_a_stream_are_uniform),
        cmocka_unit_test(the_first_numbers_of_streams_are_uniform),
    };
    return cmocka_run_group_tests_name("random_stream", tests, 0, 0) != 0;
}
