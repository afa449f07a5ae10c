/* The promises of augmentation.h, on the pixels and the truth of loaded batches: which crops pad= takes, what cutout=
 * covers, what mixup= mixes; and that a batch depends on nothing but the seed and its place in the training. */
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include "data/augmentation.h"
#include "data/loader_threads.h"
#include "data/photo.h"
#include "data/random_stream.h"
#include "data/sampling.h"
#include "image.h"

#include <pthread.h>

enum { SIZE = 12, PIXELS = SIZE * SIZE, PARTS = 7, MOST_IMAGES = 8 };

/* ---- Images and batches ------------------------------------------------------------------------------------------ */

static char paths[MOST_IMAGES][320], *files[MOST_IMAGES], labels[MOST_IMAGES][16], *label_list[MOST_IMAGES];

/* Image i of the list: a photo whose bytes are given by a function of x, y and channel; its class is i. */
static void write_image(int i, int w, int h, int (*byte)(int image, int x, int y, int c))
{
    FILE *file;
    int x, y, c;
    snprintf(labels[i], sizeof labels[i], "picture-%d", i);
    snprintf(paths[i], sizeof paths[i], "%s/picture-%d", folder, i);
    files[i] = paths[i];
    label_list[i] = labels[i];
    file = fopen(paths[i], "wb");
    assert_non_null(file);
    fprintf(file, "P6\n%d %d\n255\n", w, h);
    for (y = 0; y < h; ++y)
        for (x = 0; x < w; ++x)
            for (c = 0; c < 3; ++c) fputc(byte(i, x, y, c), file);
    assert_int_equal(fclose(file), 0);
}

/* No pixel of it is black or grey, and no two of one image of SIZE x SIZE are equal. */
static int colourful(int image, int x, int y, int c)
{
    const int at = x + SIZE * y;
    return c == 0 ? 1 + at % 255 : c == 1 ? 255 - at % 250 : 1 + (image * 50 + at * 7) % 100;
}

static int plain_grey(int image, int x, int y, int c)
{
    (void)x, (void)y, (void)c;
    return 20 + 30 * image;
}

/* What a training without crops or colours asks for: the image as it is, but for Darknet's flip. */
static load_args plain_args(int n, int images)
{
    load_args args;
    memset(&args, 0, sizeof args);
    args.type = CLASSIFICATION_DATA;
    args.paths = files;
    args.labels = label_list;
    args.classes = args.m = images;
    args.n = n;
    args.threads = PARTS;
    args.w = args.h = args.size = args.min = args.max = SIZE;
    args.saturation = args.exposure = args.aspect = 1;
    return args;
}

/* Loads the next batch. */
static data load(load_args args)
{
    data batch;
    args.d = &batch;
    pthread_join(load_data(args), 0);
    assert_int_equal(batch.X.rows, args.n);
    assert_int_equal(batch.X.cols, 3 * PIXELS);
    assert_int_equal(batch.y.rows, args.n);
    assert_int_equal(batch.y.cols, args.classes);
    return batch;
}

/* Begins a training, with `seen` images behind it in whole batches of n. */
static void begin(const char *keys, unsigned seed, int images, int seen, int n)
{
    FILE *file = fopen(in_folder("data"), "w");
    assert_non_null(file);
    fputs(keys, file);
    fclose(file);
    random_set_seed(seed);
    random_begin_loads((unsigned)(seen / n));
    sampling_begin(in_folder("data"), images, (unsigned)seen);
}

/* Darknet's change of colours, even by nothing, rounds. */
static int close_to(float a, float b)
{
    return fabsf(a - b) < 1e-5f;
}

static float at(const float *pixels, int x, int y, int c)
{
    return pixels[(c * SIZE + y) * SIZE + x];
}

/* ---- pad --------------------------------------------------------------------------------------------------------- */

/* Whether the pixels are those of `whole`, moved by (dx, dy) and then mirrored, and black elsewhere. */
static int is_shifted(const float *pixels, image whole, int dx, int dy, int flip)
{
    int x, y, c;
    for (c = 0; c < 3; ++c) {
        for (y = 0; y < SIZE; ++y) {
            for (x = 0; x < SIZE; ++x) {
                const int from_x = (flip ? SIZE - 1 - x : x) + dx, from_y = y + dy;
                const int inside = from_x >= 0 && from_x < SIZE && from_y >= 0 && from_y < SIZE;
                if (!close_to(at(pixels, x, y, c), inside ? at(whole.data, from_x, from_y, c) : 0)) return 0;
            }
        }
    }
    return 1;
}

/* Loads many crops of the first image, and checks that each is one of `whole` with `pad` pixels around it, and that all
 * of these occur, mirrored and not. */
static void check_crops(image whole, int pad)
{
    enum { DRAWS = 3000 };
    const int offsets = 2 * pad + 1;
    load_args args = plain_args(DRAWS, 1);
    int *counts = (int *)calloc(2 * offsets * offsets, sizeof(int)), i, k;
    data batch;
    args.pad = pad;
    batch = load(args);
    for (i = 0; i < DRAWS; ++i) {
        int found = 0;
        for (k = 0; k < 2 * offsets * offsets; ++k) {
            const int dx = k / 2 % offsets - pad, dy = k / 2 / offsets - pad;
            if (!is_shifted(batch.X.vals[i], whole, dx, dy, k % 2)) continue;
            ++counts[k];
            ++found;
        }
        assert_int_equal(found, 1);
    }
    for (k = 0; k < 2 * offsets * offsets; ++k) {
        const double expected = DRAWS / (2. * offsets * offsets);
        assert_true(counts[k] > 0);
        assert_close(counts[k], expected, 5 * sqrt(expected));
    }
    free(counts);
    free_data(batch);
}

static void all_81_crops_of_the_padded_image_occur_and_are_the_shifted_image(void **test)
{
    image whole;
    (void)test;
    write_image(0, SIZE, SIZE, colourful);
    begin("", 1, 1, 0, 1);
    whole = load_image_color(files[0], 0, 0);
    check_crops(whole, 4);
    check_crops(whole, 1);
    free_image(whole);
}

static void at_a_size_that_is_less_than_twice_the_pad_half_of_the_size_is_padded(void **test)
{
    enum { DRAWS = 50 };
    load_args args = plain_args(DRAWS, 1);
    data half, more;
    int i;
    (void)test;
    write_image(0, SIZE, SIZE, colourful);
    begin("", 1, 1, 0, DRAWS);
    args.pad = SIZE / 2;
    half = load(args);
    begin("", 1, 1, 0, DRAWS);
    args.pad = 3 * SIZE; /* as after random=1 has made the network smaller */
    more = load(args);
    for (i = 0; i < DRAWS; ++i) assert_memory_equal(half.X.vals[i], more.X.vals[i], 3 * PIXELS * sizeof(float));
    free_data(half);
    free_data(more);
}

/* Scaled so that the shorter side fits, and the middle of the longer one: what validation sees. */
static void an_image_of_another_size_is_scaled_and_cut_first(void **test)
{
    static const int sizes[][2] = {{40, 24}, {9, 30}, {24, 24}};
    size_t i;
    (void)test;
    begin("", 2, 1, 0, 1);
    for (i = 0; i < COUNT(sizes); ++i) {
        image original, whole;
        write_image(0, sizes[i][0], sizes[i][1], colourful);
        original = load_image_color(files[0], 0, 0);
        whole = center_crop_image(original, SIZE, SIZE);
        check_crops(whole, 3);
        free_image(original);
        free_image(whole);
    }
}

/* ---- cutout ------------------------------------------------------------------------------------------------------ */

/* The first and the last coordinate of the grey pixels, in x and in y; the number of grey pixels. */
static int find_grey(const float *pixels, int first[2], int last[2])
{
    int x, y, count = 0;
    first[0] = first[1] = SIZE;
    last[0] = last[1] = -1;
    for (y = 0; y < SIZE; ++y) {
        for (x = 0; x < SIZE; ++x) {
            const int place[2] = {x, y};
            int i;
            if (at(pixels, x, y, 0) != CUTOUT_VALUE) continue;
            for (i = 0; i < 2; ++i) {
                if (place[i] < first[i]) first[i] = place[i];
                if (place[i] > last[i]) last[i] = place[i];
            }
            ++count;
        }
    }
    return count;
}

/* The coordinate that a square has its centre at, from the part of it that lies in the image; -1: none. */
static int centre_of(int first, int last, int side)
{
    int centre;
    for (centre = 0; centre < SIZE; ++centre) {
        const int low = centre - side / 2, high = low + side - 1;
        if (first == (low < 0 ? 0 : low) && last == (high < SIZE ? high : SIZE - 1)) return centre;
    }
    return -1;
}

static void check_cutout(int side, image whole)
{
    enum { DRAWS = 3000 };
    load_args args = plain_args(DRAWS, 1);
    int counts[PIXELS] = {0}, i, x, y, c;
    data batch;
    args.cutout = side;
    batch = load(args);
    for (i = 0; i < DRAWS; ++i) {
        const float *pixels = batch.X.vals[i];
        int first[2], last[2], centre[2], grey = find_grey(pixels, first, last), flip;
        assert_int_equal(grey, (last[0] - first[0] + 1) * (last[1] - first[1] + 1));
        centre[0] = centre_of(first[0], last[0], side);
        centre[1] = centre_of(first[1], last[1], side);
        assert_true(centre[0] >= 0 && centre[1] >= 0);
        ++counts[centre[1] * SIZE + centre[0]];
        for (flip = 0; flip < 2; ++flip) { /* the rest is the image, in one of the two directions */
            int same = 1;
            for (c = 0; c < 3; ++c)
                for (y = 0; y < SIZE; ++y)
                    for (x = 0; x < SIZE; ++x)
                        if (x >= first[0] && x <= last[0] && y >= first[1] && y <= last[1])
                            assert_true(at(pixels, x, y, c) == CUTOUT_VALUE);
                        else
                            same = same && close_to(at(pixels, x, y, c), at(whole.data, flip ? SIZE - 1 - x : x, y, c));
            if (same) break;
        }
        assert_true(flip < 2);
    }
    for (i = 0; i < PIXELS; ++i) assert_close(counts[i], DRAWS / (double)PIXELS, 5 * sqrt(DRAWS / (double)PIXELS));
    free_data(batch);
}

static void cutout_makes_a_square_grey_whose_centre_is_anywhere_in_the_image(void **test)
{
    image whole;
    (void)test;
    write_image(0, SIZE, SIZE, colourful);
    begin("", 3, 1, 0, 1);
    whole = load_image_color(files[0], 0, 0);
    check_cutout(6, whole);
    check_cutout(5, whole);
    check_cutout(1, whole);
    free_image(whole);
}

/* ---- mixup ------------------------------------------------------------------------------------------------------- */

/* Pixels and truth have the same shares; the shares follow Beta(alpha, alpha); the first of a pair is the image whose
 * turn it is, and the second any image. */
static void check_mixtures(float alpha)
{
    enum { IMAGES = 5, DRAWS = IMAGES * 1200 };
    load_args args = plain_args(DRAWS, IMAGES);
    const double variance = 1 / (4 * (2 * alpha + 1));
    double sum = 0, squares = 0;
    int pairs[IMAGES][IMAGES] = {{0}}, mixed = 0, i, k;
    data batch;
    args.mixup = alpha;
    args.threads = 1; /* Darknet puts the parts of a batch together in the opposite order */
    begin("sampling=epoch\n", 4, IMAGES, 0, DRAWS);
    batch = load(args);
    begin("sampling=epoch\n", 4, IMAGES, 0, DRAWS);
    sampling_use_part(sampling_next_part(DRAWS));
    for (i = 0; i < DRAWS; ++i) {
        const float *truth = batch.y.vals[i];
        const int first = sample_image(IMAGES);
        int second = first;
        float total = 0, expected = 0;
        for (k = 0; k < IMAGES; ++k) {
            if (k != first && truth[k] != 0) {
                assert_int_equal(second, first);
                second = k;
            }
            total += truth[k];
            expected += truth[k] * plain_grey(k, 0, 0, 0) / 255.f;
        }
        assert_true(total == 1);
        for (k = 0; k < 3 * PIXELS; ++k) assert_true(close_to(batch.X.vals[i][k], expected));
        ++pairs[first][second];
        if (first == second) continue;
        assert_true(truth[first] > 0);
        sum += truth[first];
        squares += (truth[first] - .5) * (truth[first] - .5);
        ++mixed;
    }
    sampling_use_part(0);
    assert_close(sum / mixed, .5, 4 * sqrt(variance / mixed));
    assert_close(squares / mixed, variance, 4 * .25 / sqrt(mixed)); /* of squares up to .25 */
    for (i = 0; i < IMAGES; ++i)
        for (k = 0; k < IMAGES; ++k)
            assert_close(pairs[i][k], DRAWS / (IMAGES * IMAGES), 5 * sqrt(DRAWS / (IMAGES * IMAGES)));
    free_data(batch);
}

static void mixup_mixes_pixels_and_truth_of_the_next_image_and_a_drawn_one(void **test)
{
    int i;
    (void)test;
    for (i = 0; i < 5; ++i) write_image(i, SIZE, SIZE, plain_grey);
    check_mixtures(1);
    check_mixtures(.4f);
    check_mixtures(8);
}

/* ---- What a batch depends on ------------------------------------------------------------------------------------- */

enum { IMAGES = 8, BATCH = 30 };

static load_args all_of_them(void)
{
    load_args args = plain_args(BATCH, IMAGES);
    args.pad = 4;
    args.cutout = 5;
    args.mixup = .5f;
    args.hue = .1f;
    args.saturation = args.exposure = 1.5f;
    return args;
}

static void write_images(void)
{
    int i;
    for (i = 0; i < IMAGES; ++i) write_image(i, SIZE + 3 * i, 40 - 2 * i, colourful);
}

static int same_batch(data a, data b)
{
    int i, same = 1;
    for (i = 0; i < a.X.rows; ++i)
        same = same && !memcmp(a.X.vals[i], b.X.vals[i], sizeof(float) * a.X.cols) &&
               !memcmp(a.y.vals[i], b.y.vals[i], sizeof(float) * a.y.cols);
    return same;
}

static void a_batch_depends_neither_on_threads_nor_on_what_is_kept(void **test)
{
    static const int threads[] = {1, 2, 5, 100, 0};
    data one, other;
    size_t i;
    (void)test;
    write_images();
    loading_set_threads(1);
    begin("sampling=epoch\n", 5, IMAGES, 0, BATCH);
    one = load(all_of_them());
    for (i = 0; i < COUNT(threads); ++i) {
        if (i) photo_set_limit(1 << 20);
        loading_set_threads(threads[i]);
        begin("sampling=epoch\n", 5, IMAGES, 0, BATCH);
        other = load(all_of_them());
        assert_true(same_batch(one, other));
        free_data(other);
    }
    begin("sampling=epoch\n", 6, IMAGES, 0, BATCH);
    other = load(all_of_them());
    assert_false(same_batch(one, other)); /* another seed */
    free_data(one);
    free_data(other);
}

/* Also in the middle of an epoch: 30 is no multiple of 8. */
static void a_resumed_training_loads_the_images_that_it_would_have_loaded(void **test)
{
    static const char *const samplings[] = {"", "sampling=epoch\n"};
    enum { BATCHES = 4 };
    data run[BATCHES], resumed;
    size_t s;
    int i;
    (void)test;
    write_images();
    for (s = 0; s < COUNT(samplings); ++s) {
        begin(samplings[s], 7, IMAGES, 0, BATCH);
        for (i = 0; i < BATCHES; ++i) run[i] = load(all_of_them());
        assert_false(same_batch(run[0], run[1]));
        for (i = 1; i < BATCHES; ++i) {
            begin(samplings[s], 7, IMAGES, i * BATCH, BATCH);
            resumed = load(all_of_them());
            assert_true(same_batch(run[i], resumed));
            free_data(resumed);
        }
        for (i = 0; i < BATCHES; ++i) free_data(run[i]);
    }
}

static void a_batch_of_fewer_images_than_parts_is_loaded(void **test)
{
    load_args args = all_of_them();
    (void)test;
    write_images();
    begin("sampling=epoch\n", 8, IMAGES, 0, 3);
    args.n = 3;
    free_data(load(args));
}

/* ---- The keys ---------------------------------------------------------------------------------------------------- */

static void the_keys_move_from_the_networks_into_the_loader(void **test)
{
    network one, two, *nets[] = {&one, &two};
    load_args args = plain_args(1, 1);
    (void)test;
    assert_false(augments(&args));
    memset(&one, 0, sizeof one);
    one.pad = 4;
    one.cutout = 16;
    one.mixup = .2f;
    two = one;
    use_augmentation(nets, 2, &args);
    assert_int_equal(args.pad, 4);
    assert_int_equal(args.cutout, 16);
    assert_close(args.mixup, .2f, 0);
    assert_true(augments(&args));
    refuse_augmentation(&one); /* would end the program */
    refuse_augmentation(&two);
    args.type = DETECTION_DATA;
    assert_false(augments(&args));
}

static int setup(void **state)
{
    (void)state;
    return make_folder_for("test-augmentation");
}

static int teardown(void **state)
{
    int i;
    (void)state;
    for (i = 0; i < MOST_IMAGES; ++i) unlink(paths[i]);
    unlink(in_folder("data"));
    return remove_folder_with(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_81_crops_of_the_padded_image_occur_and_are_the_shifted_image),
        cmocka_unit_test(at_a_size_that_is_less_than_twice_the_pad_half_of_the_size_is_padded),
        cmocka_unit_test(an_image_of_another_size_is_scaled_and_cut_first),
        cmocka_unit_test(cutout_makes_a_square_grey_whose_centre_is_anywhere_in_the_image),
        cmocka_unit_test(mixup_mixes_pixels_and_truth_of_the_next_image_and_a_drawn_one),
        cmocka_unit_test(a_resumed_training_loads_the_images_that_it_would_have_loaded),
        cmocka_unit_test(a_batch_of_fewer_images_than_parts_is_loaded),
        cmocka_unit_test(a_batch_depends_neither_on_threads_nor_on_what_is_kept),
        cmocka_unit_test(the_keys_move_from_the_networks_into_the_loader),
    };
    keep_last_words();
    photo_set_limit(0); /* the files of one name change from test to test */
    return cmocka_run_group_tests_name("augmentation", tests, setup, teardown) != 0;
}
