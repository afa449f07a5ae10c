/* Tests of photo.h and loading.h: pixels are those of Darknet's own functions, the cache is bounded, and a batch
 * depends neither on the number of threads nor on the cache. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_setaffinity, RTLD_NEXT */
#endif

#include "helpers/test_helpers.h"

#include "image.h"
#include "data/loader_threads.h"
#include "data/photo.h"
#include "data/random_stream.h"
#include "utils.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bit for bit equal only if gcc compiles Darknet with -Ofast, as in a release; other builds round in other places. */
#if defined(__OPTIMIZE__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
enum { EXACT = 1 };
#else
enum { EXACT = 0 };
#endif

/* Turns off two checks: Darknet's find_replace copies strings onto themselves, and Darknet never frees a list. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:replace_str=0:intercept_strlen=0:intercept_strchr=0:intercept_strndup=0";
}

/* Counts the threads that are started anywhere in this program. */
static int begun;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    typedef int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    return ((create)dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, start, argument);
}

static char folder[] = "/tmp/test-loading-XXXXXX";

/* The images of the tests: w x h from thin to larger than the result; noise, a smooth image, and one that is grey
 * except for a corner. */
enum { NOISY, WAVES, GREYISH, LOOKS };
static const int sizes[][2] = {{1, 1}, {1, 7}, {5, 1}, {2, 2}, {3, 5}, {17, 31}, {64, 64}, {33, 100}, {333, 250}};

static photo make_photo(int w, int h, int look)
{
    unsigned char *bytes = (unsigned char *)malloc((size_t)w * h * 3);
    photo p = {w, h, 3, bytes, 0};
    uint64_t seed = (uint64_t)(w * 1000 + h) * 3 + look + 1;
    int x, y, c;
    for (y = 0; y < h; ++y)
        for (x = 0; x < w; ++x)
            for (c = 0; c < 3; ++c, ++bytes)
                *bytes = (unsigned char)(look == NOISY ? 256 * noise(&seed)
                                         : look == WAVES || (x < w / 3 && y < h / 3)
                                             ? 127 + 120 * sin(x * (.05 + .03 * c) + y * .07 + c)
                                             : (x * 5 + y * 3) % 256);
    return p;
}

/* The image that load_image_stb makes of the same bytes. */
static image as_image(photo p)
{
    image im = make_image(p.w, p.h, 3);
    int i, c, n = p.w * p.h;
    for (c = 0; c < 3; ++c)
        for (i = 0; i < n; ++i) im.data[c * n + i] = (float)(p.bytes[3 * i + c] / 255.);
    return im;
}

static void assert_same_image(image ours, image darknets)
{
    int i, n = darknets.w * darknets.h * darknets.c;
    assert_int_equal(ours.w, darknets.w);
    assert_int_equal(ours.h, darknets.h);
    assert_int_equal(ours.c, darknets.c);
    for (i = 0; i < n; ++i) {
        /* far outside of the image, -Ofast drops a term that is otherwise 0 times infinity, which is NaN */
        if (!EXACT && isnan(darknets.data[i])) continue;
        assert_close(ours.data[i], darknets.data[i], EXACT ? 0 : 2e-4);
        if (EXACT) assert_memory_equal(ours.data + i, darknets.data + i, sizeof(float));
    }
}

#define FOR_ALL_PHOTOS(statement)                                                                                      \
    do {                                                                                                               \
        size_t size_;                                                                                                  \
        int look_;                                                                                                     \
        for (size_ = 0; size_ < COUNT(sizes); ++size_)                                                                 \
            for (look_ = 0; look_ < LOOKS; ++look_) {                                                                  \
                photo p = make_photo(sizes[size_][0], sizes[size_][1], look_);                                         \
                image im = as_image(p);                                                                                \
                statement;                                                                                             \
                free_image(im);                                                                                        \
                photo_close(p);                                                                                        \
            }                                                                                                          \
    } while (0)

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static char *file_name(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A binary PPM, or PGM of the first channel. */
static void write_picture(const char *path, photo p, int channels)
{
    FILE *file = fopen(path, "wb");
    int i, c;
    assert_non_null(file);
    fprintf(file, "P%d\n%d %d\n255\n", channels == 3 ? 6 : 5, p.w, p.h);
    for (i = 0; i < p.w * p.h; ++i)
        for (c = 0; c < channels; ++c) fputc(p.bytes[3 * i + c], file);
    assert_int_equal(fclose(file), 0);
}

static void assert_photo_is(photo p, image im)
{
    image ours = as_image(p);
    assert_int_equal(p.c, 3);
    assert_same_image(ours, im);
    free_image(ours);
}

static void a_photo_is_the_image_that_darknet_loads(void **test)
{
    static const char *const names[] = {"colour.ppm", "grey.pgm", "lossy.jpg", "one.ppm"};
    photo p = make_photo(37, 23, WAVES), one = make_photo(1, 1, NOISY);
    image im = as_image(p);
    size_t i;
    (void)test;
    write_picture(file_name("colour.ppm"), p, 3);
    write_picture(file_name("grey.pgm"), p, 1);
    write_picture(file_name("one.ppm"), one, 3);
    save_image(im, file_name("lossy")); /* writes lossy.jpg */
    free_image(im);
    photo_close(p);
    photo_close(one);
    for (i = 0; i < COUNT(names); ++i) {
        image darknets = load_image_color(file_name(names[i]), 0, 0);
        photo first = photo_open(file_name(names[i])), again = photo_open(file_name(names[i])), decoded;
        image whole;
        assert_photo_is(first, darknets);
        assert_photo_is(again, darknets);
        assert_true(photo_decode(file_name(names[i]), &decoded));
        whole = photo_to_image(decoded);
        assert_same_image(whole, darknets);
        free_image(whole);
        photo_close(first);
        photo_close(again);
        photo_close(decoded);
        free_image(darknets);
    }
}

/* ---- Pixels ------------------------------------------------------------------------------------------------------ */

static void place_both(photo p, image im, int w, int h, int dx, int dy)
{
    image ours = make_image(41, 29, 3), darknets = make_image(41, 29, 3);
    fill_image(ours, .5);
    fill_image(darknets, .5);
    photo_place(p, w, h, dx, dy, ours);
    place_image(im, w, h, dx, dy, darknets);
    assert_same_image(ours, darknets);
    free_image(ours);
    free_image(darknets);
}

static void placing_gives_darknets_pixels(void **test)
{
    static const int where[][4] = {{41, 29, 0, 0}, {41, 20, 0, 4}, {23, 29, 9, 0},     {1, 1, 40, 28},
                                   {0, 0, 3, 3},   {90, 70, 0, 0}, {90, 70, -30, -20}, {20, 20, 35, 25},
                                   {7, 9, -8, 3},  {5, 5, 41, 29}};
    size_t i;
    (void)test;
    FOR_ALL_PHOTOS(for (i = 0; i < COUNT(where); ++i)
                       place_both(p, im, where[i][0], where[i][1], where[i][2], where[i][3]));
}

static void crop_both(photo p, image im, float rad, float scale, int w, int h, float dx, float dy, float aspect)
{
    image ours = photo_rotate_crop(p, rad, scale, w, h, dx, dy, aspect);
    image darknets = rotate_crop_image(im, rad, scale, w, h, dx, dy, aspect);
    assert_same_image(ours, darknets);
    free_image(ours);
    free_image(darknets);
}

static void rotating_and_cropping_give_darknets_pixels(void **test)
{
    /* rad, scale, w, h, dx, dy, aspect: inside, beyond every border, far away, and wider than the part of a row that is
     * computed at once */
    static const float crops[][7] = {
        {0, 1, 32, 32, 0, 0, 1},        {0, 1.125, 32, 32, 2, -1.5, 1}, {.1, .7, 28, 20, 3, 4, .8},
        {-.7, 2.3, 31, 33, -5, 2, 1.3}, {3, .1, 16, 16, 0, 0, 1},       {.3, 1, 9, 9, 5000, -7000, 1},
        {.05, 3, 300, 5, 12, 7, .75},   {0, 1, 1, 1, .25, .75, 1},      {0, 1e-30f, 4, 4, 1, 1, 1e20f}};
    size_t i;
    (void)test;
    FOR_ALL_PHOTOS(for (i = 0; i < COUNT(crops); ++i) crop_both(
        p, im, crops[i][0], crops[i][1], (int)crops[i][2], (int)crops[i][3], crops[i][4], crops[i][5], crops[i][6]));
}

static void augment_both(photo p, image im)
{
    int after;
    image ours, darknets;
    random_use_stream(11);
    ours = photo_random_augment(p, 7, .75, 28, 40, 32, 24);
    after = random_rand();
    random_use_stream(11);
    darknets = random_augment_image(im, 7, .75, 28, 40, 32, 24);
    assert_int_equal(after, random_rand());
    random_use_stream(0);
    assert_same_image(ours, darknets);
    free_image(ours);
    free_image(darknets);
    ours = photo_center_crop(p, 20, 20);
    darknets = center_crop_image(im, 20, 20);
    assert_same_image(ours, darknets);
    free_image(ours);
    free_image(darknets);
}

static void augmenting_draws_darknets_numbers_and_gives_its_pixels(void **test)
{
    (void)test;
    FOR_ALL_PHOTOS(augment_both(p, im));
}

static void distort_both(image im, float hue, float saturation, float exposure)
{
    image ours = copy_image(im), darknets = copy_image(im);
    photo_distort(ours, hue, saturation, exposure);
    distort_image(darknets, hue, saturation, exposure);
    assert_same_image(ours, darknets);
    free_image(ours);
    free_image(darknets);
}

static void distorting_colours_gives_darknets_pixels(void **test)
{
    static const float colours[][3] = {
        {0, 1, 1},   {.1, 1.5, 1.5}, {-.1, 1 / 1.5, 1 / 1.5}, {.05, 1.2, .3},  {.5, 0, 1},
        {-.5, 3, 0}, {1, 1, 1},      {-1, 1.7, 2.5},          {1.5, 1.2, 1.1}, {-2.25, .8, .9}};
    size_t i;
    (void)test;
    FOR_ALL_PHOTOS(for (i = 0; i < COUNT(colours); ++i) distort_both(im, colours[i][0], colours[i][1], colours[i][2]));
}

static void distorting_at_random_draws_darknets_numbers(void **test)
{
    photo p = make_photo(17, 31, WAVES);
    image ours = as_image(p), darknets = as_image(p);
    int after, i;
    (void)test;
    for (i = 1; i < 50; ++i) {
        random_use_stream(i);
        photo_random_distort(ours, .1, 1.5, 1.4);
        after = random_rand();
        random_use_stream(i);
        random_distort_image(darknets, .1, 1.5, 1.4);
        assert_int_equal(after, random_rand());
        random_use_stream(0);
        assert_same_image(ours, darknets);
        memcpy(ours.data, darknets.data, sizeof(float) * 3 * p.w * p.h);
    }
    free_image(ours);
    free_image(darknets);
    photo_close(p);
}

/* ---- What is kept ------------------------------------------------------------------------------------------------ */

static void photos_are_kept_up_to_the_limit(void **test)
{
    enum { PICTURES = 2000, LIMIT = 400000 }; /* an image with its name and its table entry takes more than 320 bytes */
    photo p = make_photo(10, 10, NOISY);
    int i, round, kept[2] = {0, 0};
    size_t before = photo_kept();
    char name[32];
    (void)test;
    photo_set_limit(before + LIMIT);
    for (round = 0; round < 2; ++round) {
        for (i = 0; i < PICTURES; ++i) {
            photo opened;
            snprintf(name, sizeof name, "kept-%d.ppm", i);
            if (round == 0) write_picture(file_name(name), p, 3);
            opened = photo_open(file_name(name));
            assert_memory_equal(opened.bytes, p.bytes, 300);
            kept[round] += opened.kept;
            photo_close(opened);
            assert_true(photo_kept() - before <= LIMIT);
        }
    }
    assert_in_range(kept[0], LIMIT / 800, LIMIT / 320);
    assert_int_equal(kept[1], kept[0]);
    photo_close(p);
    /* a cached file is not read again */
    p = make_photo(3, 3, NOISY);
    write_picture(file_name("kept-0.ppm"), p, 3);
    photo_close(p);
    p = photo_open(file_name("kept-0.ppm"));
    assert_int_equal(p.w, 10);
    photo_close(p);
}

static void with_a_limit_of_0_nothing_is_kept(void **test)
{
    photo p = make_photo(10, 10, NOISY), opened;
    size_t before = photo_kept();
    (void)test;
    photo_set_limit(0);
    write_picture(file_name("not-kept.ppm"), p, 3);
    opened = photo_open(file_name("not-kept.ppm"));
    assert_int_equal(opened.kept, 0);
    assert_true(photo_kept() == before);
    photo_close(opened);
    photo_close(p);
}

enum { SHARED = 3000 };     /* so many that the table grows while threads use it */
static int open_all_failed; /* its address is what a failed thread returns */

static void *open_all(void *unused)
{
    char name[64];
    int i, round;
    (void)unused;
    for (round = 0; round < 2; ++round)
        for (i = 0; i < SHARED; ++i) {
            photo p;
            snprintf(name, sizeof name, "%s/shared-%d.ppm", folder, i);
            p = photo_open(name);
            if (p.w != 1 + i % 7 || p.bytes[0] != (i * 31) % 256) return &open_all_failed;
            photo_close(p);
        }
    return 0;
}

static void threads_side_by_side_open_the_same_photos(void **test)
{
    pthread_t threads[8];
    char name[32];
    void *failed;
    size_t kept;
    int i;
    (void)test;
    for (i = 0; i < SHARED; ++i) {
        photo p = make_photo(1 + i % 7, 2, NOISY);
        ((unsigned char *)p.bytes)[0] = (unsigned char)((i * 31) % 256);
        snprintf(name, sizeof name, "shared-%d.ppm", i);
        write_picture(file_name(name), p, 3);
        photo_close(p);
    }
    photo_set_limit((size_t)1 << 30);
    for (i = 0; i < 8; ++i) assert_int_equal(pthread_create(&threads[i], 0, open_all, 0), 0);
    for (i = 0; i < 8; ++i) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    /* nothing is cached twice, and nothing is missing */
    kept = photo_kept();
    assert_null(open_all(0));
    assert_true(photo_kept() == kept);
}

/* ---- Batches ----------------------------------------------------------------------------------------------------- */

enum { IMAGES = 20, PARTS = 7, BATCH = 30 };

static data load_batch(data_type type, int threads)
{
    static char paths[IMAGES][64], *list[IMAGES], *labels[] = {"cat", "dog"};
    load_args args = {0};
    data batch;
    int i;
    for (i = 0; i < IMAGES; ++i) {
        photo p = make_photo(20 + 3 * i, 40 - i, i % LOOKS);
        FILE *boxes;
        snprintf(paths[i], sizeof paths[i], "%s/%s-%d.jpg", folder, labels[i % 2], i);
        list[i] = paths[i];
        write_picture(paths[i], p, 3); /* the decoder looks at the content, not at the name */
        photo_close(p);
        snprintf(paths[i], sizeof paths[i], "%s/%s-%d.txt", folder, labels[i % 2], i);
        boxes = fopen(paths[i], "w");
        assert_non_null(boxes);
        fprintf(boxes, "%d .5 .4 .3 .2\n0 .2 .7 .2 .4\n", i % 2);
        fclose(boxes);
        snprintf(paths[i], sizeof paths[i], "%s/%s-%d.jpg", folder, labels[i % 2], i);
    }
    args.paths = list;
    args.m = IMAGES;
    args.n = BATCH;
    args.threads = PARTS;
    args.w = args.h = args.size = 48;
    args.min = 40;
    args.max = 60;
    args.angle = 7;
    args.aspect = .75;
    args.hue = args.jitter = .2f;
    args.saturation = args.exposure = 1.5;
    args.classes = 2;
    args.labels = labels;
    args.num_boxes = 5;
    args.type = type;
    args.d = &batch;
    random_set_seed(5);
    random_begin_loads(3);
    loading_set_threads(threads);
    pthread_join(load_data(args), 0);
    return batch;
}

static void assert_same_batch(data a, data b)
{
    int i;
    assert_int_equal(a.X.rows, BATCH);
    assert_int_equal(b.X.rows, BATCH);
    assert_int_equal(a.X.cols, 48 * 48 * 3);
    assert_int_equal(a.y.cols, b.y.cols);
    for (i = 0; i < BATCH; ++i) {
        assert_memory_equal(a.X.vals[i], b.X.vals[i], sizeof(float) * a.X.cols);
        assert_memory_equal(a.y.vals[i], b.y.vals[i], sizeof(float) * a.y.cols);
    }
}

static void a_batch_depends_neither_on_threads_nor_on_what_is_kept(void **test)
{
    static const data_type types[] = {CLASSIFICATION_DATA, DETECTION_DATA};
    static const int threads[] = {0, 2, 5, 100};
    size_t t, i;
    (void)test;
    for (t = 0; t < COUNT(types); ++t) {
        data one, other;
        photo_set_limit(0);
        one = load_batch(types[t], 1);
        for (i = 0; i < COUNT(threads); ++i) {
            if (i) photo_set_limit(1 << 30);
            other = load_batch(types[t], threads[i]);
            assert_same_batch(one, other);
            free_data(other);
        }
        free_data(one);
    }
    loading_set_threads(0);
}

/* The number of threads that are started to load a batch, including the one of load_data. */
static int loaders(int threads)
{
    int before = begun;
    free_data(load_batch(DETECTION_DATA, threads));
    loading_set_threads(0);
    return begun - before;
}

static void no_more_threads_load_than_were_asked_for(void **test)
{
    (void)test;
    photo_set_limit(0);
    assert_int_equal(loaders(1), 1);
    assert_int_equal(loaders(3), 3);
    assert_int_equal(loaders(1000), PARTS);
}

static void by_default_as_many_threads_load_as_there_are_processors(void **test)
{
    cpu_set_t all, one;
    int i, n;
    (void)test;
    photo_set_limit(0);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (i = 0; !CPU_ISSET(i, &all); ++i) {
    }
    CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    n = loaders(0);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(n, 1);
    n = CPU_COUNT(&all);
    assert_int_equal(loaders(0), n < PARTS ? n : PARTS);
}

/* ---- Files that are no images ------------------------------------------------------------------------------------ */

/* Asserts that photo_open ends the program with status 1 and one line that has the path and the reason. */
static void assert_cannot_be_loaded(const char *path, const char *reason)
{
    char said[512] = "";
    size_t length = 0;
    int ends[2], status;
    ssize_t n;
    pid_t child;
    assert_int_equal(pipe(ends), 0);
    fflush(0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        photo_open(path);
        _exit(77);
    }
    close(ends[1]);
    while ((n = read(ends[0], said + length, sizeof said - 1 - length)) > 0) length += (size_t)n;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(said, path));
    assert_non_null(strstr(said, reason));
    assert_int_equal(strncmp(said, "darknet: ", 9), 0);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void a_file_that_is_no_image_ends_the_program_with_one_line(void **test)
{
    FILE *file = fopen(file_name("broken.jpg"), "w");
    (void)test;
    assert_non_null(file);
    fputs("no image", file);
    fclose(file);
    assert_cannot_be_loaded(file_name("broken.jpg"), "it is no JPEG, PNG or BMP");
    assert_cannot_be_loaded(file_name("missing.jpg"), "No such file or directory");
}

static void a_file_that_is_no_image_is_not_decoded(void **test)
{
    FILE *file = fopen(file_name("words.jpg"), "w");
    photo p;
    (void)test;
    assert_non_null(file);
    fputs("no image", file);
    fclose(file);
    assert_false(photo_decode(file_name("words.jpg"), &p));
    assert_false(photo_decode(file_name("missing.jpg"), &p));
}

static int make_folder(void **state)
{
    (void)state;
    return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_photo_is_the_image_that_darknet_loads),
        cmocka_unit_test(placing_gives_darknets_pixels),
        cmocka_unit_test(rotating_and_cropping_give_darknets_pixels),
        cmocka_unit_test(augmenting_draws_darknets_numbers_and_gives_its_pixels),
        cmocka_unit_test(distorting_colours_gives_darknets_pixels),
        cmocka_unit_test(distorting_at_random_draws_darknets_numbers),
        cmocka_unit_test(photos_are_kept_up_to_the_limit),
        cmocka_unit_test(with_a_limit_of_0_nothing_is_kept),
        cmocka_unit_test(threads_side_by_side_open_the_same_photos),
        cmocka_unit_test(a_batch_depends_neither_on_threads_nor_on_what_is_kept),
        cmocka_unit_test(no_more_threads_load_than_were_asked_for),
        cmocka_unit_test(by_default_as_many_threads_load_as_there_are_processors),
        cmocka_unit_test(a_file_that_is_no_image_ends_the_program_with_one_line),
        cmocka_unit_test(a_file_that_is_no_image_is_not_decoded),
    };
    return cmocka_run_group_tests_name("loading", tests, make_folder, remove_folder) != 0;
}
