/* The promises of sampling.h: an epoch has every image once, a seed repeats its order, the parts of a batch make up the
 * batch, and a training goes on where it was cut off. */
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include "data/permutation.h"
#include "data/random_stream.h"
#include "data/sampling.h"

#include <pthread.h>

enum { IMAGES = 101, EPOCHS = 4, ROW = IMAGES * EPOCHS };

static void begin(const char *keys, int images, unsigned seed, unsigned long long seen)
{
    FILE *file = fopen(in_folder("data"), "w");
    assert_non_null(file);
    fputs(keys, file);
    fclose(file);
    random_set_seed(seed);
    sampling_begin(in_folder("data"), images, seen);
}

/* The next n images, as one part. */
static void take(int *images, int n)
{
    int i;
    sampling_use_part(sampling_next_part(n));
    for (i = 0; i < n; ++i) images[i] = sample_image(IMAGES);
    sampling_use_part(0);
}

static void take_row(int *row, unsigned seed)
{
    begin("sampling=epoch\n", IMAGES, seed, 0);
    take(row, ROW);
}

/* How many places of two orders of an epoch agree. */
static int agreeing(const int *a, const int *b)
{
    int i, n = 0;
    for (i = 0; i < IMAGES; ++i) n += a[i] == b[i];
    return n;
}

static void every_order_is_as_probable(void **test)
{
    enum { TRIES = 24000 };
    int counts[4][4][4] = {{{0}}}, i, j, k, try, order[4], kinds = 0;
    uint64_t stream = 1;
    (void)test;
    for (try = 0; try < TRIES; ++try) {
        random_order(&stream, order, 4, 4);
        ++counts[order[0]][order[1]][order[2]];
        assert_int_equal(order[0] + order[1] + order[2] + order[3], 6);
    }
    for (i = 0; i < 4; ++i) {
        for (j = 0; j < 4; ++j) {
            for (k = 0; k < 4; ++k) {
                if (!counts[i][j][k]) continue;
                assert_close(counts[i][j][k], TRIES / 24., 4 * sqrt(TRIES / 24.));
                ++kinds;
            }
        }
    }
    assert_int_equal(kinds, 24);
}

static void an_epoch_has_every_image_once(void **test)
{
    int row[ROW], epoch, i;
    (void)test;
    take_row(row, 1);
    for (epoch = 0; epoch < EPOCHS; ++epoch) {
        int seen[IMAGES] = {0};
        for (i = 0; i < IMAGES; ++i) ++seen[row[epoch * IMAGES + i]];
        for (i = 0; i < IMAGES; ++i) assert_int_equal(seen[i], 1);
    }
}

static void epochs_and_seeds_differ_and_a_seed_repeats_them(void **test)
{
    int row[ROW], again[ROW], other[ROW];
    (void)test;
    take_row(row, 1);
    take_row(again, 1);
    take_row(other, 2);
    assert_memory_equal(row, again, sizeof row);
    /* of two random orders one place agrees on average, and more than 9 in one of a million */
    assert_in_range(agreeing(row, row + IMAGES), 0, 9);
    assert_in_range(agreeing(row + IMAGES, row + 2 * IMAGES), 0, 9);
    assert_in_range(agreeing(row, row + 2 * IMAGES), 0, 9);
    assert_in_range(agreeing(row, other), 0, 9);
}

/* As load_threads divides a batch; the last part is loaded first. */
static void parts_make_up_the_batch_in_whatever_order_they_are_loaded(void **test)
{
    enum { PARTS = 8, BATCH = 30, BATCHES = ROW / BATCH };
    int row[ROW], taken[ROW], batch, part, i;
    (void)test;
    take_row(row, 3);
    begin("sampling=epoch\n", IMAGES, 3, 0);
    for (batch = 0; batch < BATCHES; ++batch) {
        unsigned long long places[PARTS];
        for (part = 0; part < PARTS; ++part)
            places[part] = sampling_next_part((part + 1) * BATCH / PARTS - part * BATCH / PARTS);
        for (part = PARTS - 1; part >= 0; --part) {
            sampling_use_part(places[part]);
            for (i = part * BATCH / PARTS; i < (part + 1) * BATCH / PARTS; ++i)
                taken[batch * BATCH + i] = sample_image(IMAGES);
        }
        sampling_use_part(0);
    }
    assert_memory_equal(row, taken, BATCHES * BATCH * sizeof *row);
}

static void *take_other_part(void *image)
{
    sampling_use_part(51);
    *(int *)image = sample_image(IMAGES);
    return 0;
}

static void a_thread_keeps_to_its_part(void **test)
{
    int row[ROW], mine[2], other;
    pthread_t thread;
    (void)test;
    take_row(row, 1);
    sampling_use_part(1);
    mine[0] = sample_image(IMAGES);
    assert_int_equal(pthread_create(&thread, 0, take_other_part, &other), 0);
    pthread_join(thread, 0);
    mine[1] = sample_image(IMAGES);
    sampling_use_part(0);
    assert_memory_equal(mine, row, sizeof mine);
    assert_int_equal(other, row[50]);
}

static void a_batch_may_be_longer_than_the_list(void **test)
{
    int i, epoch;
    (void)test;
    begin("sampling=epoch\n", 3, 1, 0);
    sampling_use_part(sampling_next_part(30));
    for (epoch = 0; epoch < 10; ++epoch) {
        int seen[3] = {0};
        for (i = 0; i < 3; ++i) ++seen[sample_image(3)];
        for (i = 0; i < 3; ++i) assert_int_equal(seen[i], 1);
    }
    sampling_use_part(0);
}

static void a_resumed_training_goes_on_with_the_next_image(void **test)
{
    static const int seen[] = {0, 1, 50, IMAGES - 1, IMAGES, IMAGES + 7, 3 * IMAGES + 2};
    int row[ROW], rest[ROW];
    size_t i;
    (void)test;
    take_row(row, 4);
    for (i = 0; i < COUNT(seen); ++i) {
        begin("sampling=epoch\n", IMAGES, 4, (unsigned)seen[i]);
        take(rest, ROW - seen[i]);
        assert_memory_equal(row + seen[i], rest, (ROW - seen[i]) * sizeof *row);
    }
}

static void images_that_are_put_back_come_again(void **test)
{
    int row[ROW], taken[ROW];
    (void)test;
    take_row(row, 5);
    begin("sampling=epoch\n", IMAGES, 5, 0);
    take(taken, 80);
    take(taken + 80, 40);
    sampling_put_back(40);
    take(taken + 80, ROW - 80);
    assert_memory_equal(row, taken, sizeof row);
}

static void without_the_key_images_are_drawn_as_darknet_does(void **test)
{
    int i;
    (void)test;
    begin("classes=2\n", IMAGES, 6, 0);
    assert_int_equal(sampling_next_part(10), 0);
    sampling_use_part(0);
    for (i = 0; i < 100; ++i) {
        int image;
        random_use_stream(1234 + i);
        image = sample_image(IMAGES);
        random_use_stream(1234 + i);
        assert_int_equal(image, random_rand() % IMAGES);
    }
    random_use_stream(0);
}

static int setup(void **state)
{
    (void)state;
    return make_folder_for("test-sampling");
}

static int teardown(void **state)
{
    static const char *const files[] = {"data"};
    (void)state;
    return remove_folder_with(files, COUNT(files));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_as_probable),
        cmocka_unit_test(an_epoch_has_every_image_once),
        cmocka_unit_test(epochs_and_seeds_differ_and_a_seed_repeats_them),
        cmocka_unit_test(parts_make_up_the_batch_in_whatever_order_they_are_loaded),
        cmocka_unit_test(a_thread_keeps_to_its_part),
        cmocka_unit_test(a_batch_may_be_longer_than_the_list),
        cmocka_unit_test(a_resumed_training_goes_on_with_the_next_image),
        cmocka_unit_test(images_that_are_put_back_come_again),
        cmocka_unit_test(without_the_key_images_are_drawn_as_darknet_does),
    };
    keep_last_words();
    return cmocka_run_group_tests_name("sampling", tests, setup, teardown) != 0;
}
