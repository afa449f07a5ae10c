/* The promises of object_noise.h: how many objects get another class, which, and that nothing else of a training
 * changes. */
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include "data/loader_threads.h"
#include "data/object_noise.h"
#include "data/random_stream.h"

#include <pthread.h>
#include <sys/wait.h>

enum { IMAGES = 25, CLASSES = 5, MOST = 4, BATCH = 40, PARTS = 7 };

static char *paths[IMAGES];

static int boxes_of(int image)
{
    return image % MOST; /* some images have none */
}

/* The class in the label file. */
static int class_of(int image, int box)
{
    return (image + 2 * box) % CLASSES;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_labels(int image, int boxes)
{
    char name[32], text[512] = "";
    int i;
    snprintf(name, sizeof name, "%d.txt", image);
    for (i = 0; i < boxes; ++i)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d .%d .%d .2 .3\n\n", class_of(image, i), 3 + i,
                 6 - i);
    write_file(name, text);
}

static int make_images(void **state)
{
    char name[32];
    int i;
    (void)state;
    if (make_folder_for("test_object_noise")) return 1;
    for (i = 0; i < IMAGES; ++i) {
        FILE *file;
        snprintf(name, sizeof name, "%d.jpg", i);
        paths[i] = strdup(in_folder(name));
        file = fopen(paths[i], "w");
        assert_non_null(file);
        fprintf(file, "P6\n2 2\n255\n%c...........", 'a' + i); /* the decoder looks at the content, not at the name */
        fclose(file);
        write_labels(i, boxes_of(i));
    }
    return 0;
}

static int remove_images(void **state)
{
    char name[32];
    int i;
    (void)state;
    for (i = 0; i < IMAGES; ++i) {
        unlink(paths[i]);
        snprintf(name, sizeof name, "%d.txt", i);
        unlink(in_folder(name));
        free(paths[i]);
    }
    unlink(in_folder("data"));
    return remove_folder_with(0, 0);
}

/* What the program says with these lines in the .data file. */
static const char *begin(const char *keys)
{
    write_file("data", keys);
    hush();
    use_object_noise(in_folder("data"), CLASSES, 0, paths, IMAGES);
    unhush();
    return said();
}

/* The classes of all objects, those of an image from image * MOST on; -1 where there is no object. */
static void classes_now(int classes[IMAGES * MOST])
{
    int i, k;
    for (i = 0; i < IMAGES; ++i) {
        box_label boxes[MOST] = {{0}}, before[MOST];
        for (k = 0; k < boxes_of(i); ++k) {
            boxes[k].id = class_of(i, k);
            boxes[k].x = boxes[k].w = .1f * k;
        }
        memcpy(before, boxes, sizeof boxes);
        change_classes(paths[i], boxes, boxes_of(i));
        for (k = 0; k < MOST; ++k) {
            classes[i * MOST + k] = k < boxes_of(i) ? boxes[k].id : -1;
            before[k].id = boxes[k].id;
        }
        assert_memory_equal(boxes, before, sizeof boxes); /* nothing but the class is changed */
    }
}

static int count_changed(const int classes[IMAGES * MOST])
{
    int i, k, count = 0;
    for (i = 0; i < IMAGES; ++i) {
        for (k = 0; k < boxes_of(i); ++k) {
            assert_in_range(classes[i * MOST + k], 0, CLASSES - 1);
            count += classes[i * MOST + k] != class_of(i, k);
        }
    }
    return count;
}

static void exactly_the_share_of_all_objects_gets_another_class(void **test)
{
    static const struct {
        const char *keys, *says;
        int changed;
    } cases[] = {
        {"noise=.4\n", "Noise: 14 of 36 training objects (38.89 %) have another class, by noise=0.4, noise_seed=1\n",
         14},
        {"noise=1\nnoise_seed=7\n",
         "Noise: 36 of 36 training objects (100.00 %) have another class, by noise=1, noise_seed=7\n", 36},
        {"noise=0\n", "Noise: 0 of 36 training objects (0.00 %) have another class, by noise=0, noise_seed=1\n", 0},
        {"noise_seed=3\n", "", 0},
    };
    int classes[IMAGES * MOST];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i) {
        assert_string_equal(begin(cases[i].keys), cases[i].says);
        classes_now(classes);
        assert_int_equal(count_changed(classes), cases[i].changed);
    }
}

static void the_noise_seed_alone_says_which(void **test)
{
    int first[IMAGES * MOST], again[IMAGES * MOST], other[IMAGES * MOST];
    (void)test;
    random_set_seed(1);
    begin("noise=.4\n");
    classes_now(first);
    random_set_seed(2);
    begin("noise=.4\nnoise_seed=1\n");
    classes_now(again);
    begin("noise=.4\nnoise_seed=2\n");
    classes_now(other);
    assert_memory_equal(first, again, sizeof first);
    assert_true(memcmp(first, other, sizeof first));
}

static void an_image_that_the_list_does_not_have_keeps_its_classes(void **test)
{
    char *copy = strdup(paths[1]); /* as a list of validation has it: the same text, another address */
    box_label box = {0};
    (void)test;
    begin("noise=1\n");
    box.id = class_of(1, 0);
    change_classes(copy, &box, 1);
    assert_int_equal(box.id, class_of(1, 0));
    change_classes(paths[1], &box, 1);
    assert_int_not_equal(box.id, class_of(1, 0));
    free(copy);
}

/* ---- What a training loads --------------------------------------------------------------------------------------- */

static data load_batch(data_type type, int threads)
{
    load_args args = {0};
    data batch;
    args.paths = paths;
    args.m = IMAGES;
    args.n = BATCH;
    args.threads = PARTS;
    args.w = args.h = 8;
    args.jitter = .2f;
    args.hue = 0;
    args.saturation = args.exposure = 1.5;
    args.classes = CLASSES;
    args.num_boxes = MOST;
    args.type = type;
    args.d = &batch;
    random_set_seed(5);
    random_begin_loads(3);
    loading_set_threads(threads);
    pthread_join(load_data(args), 0);
    loading_set_threads(0);
    return batch;
}

/* Whether an entry of the truth tells the class, in boxes of five numbers and in cells. */
static int is_class_entry(data_type type, int i)
{
    return type == DETECTION_DATA ? i % 5 == 4 : i % (5 + CLASSES) >= 1 && i % (5 + CLASSES) <= CLASSES;
}

static void pixels_and_boxes_of_a_batch_stay_as_they_were(void **test)
{
    static const data_type types[] = {DETECTION_DATA, REGION_DATA};
    size_t t;
    int i, k;
    (void)test;
    for (t = 0; t < COUNT(types); ++t) {
        int changed = 0;
        data clean, noisy, threads;
        begin("");
        clean = load_batch(types[t], 1);
        begin("noise=.5\n");
        noisy = load_batch(types[t], 1);
        threads = load_batch(types[t], 5);
        for (i = 0; i < BATCH; ++i) {
            assert_memory_equal(clean.X.vals[i], noisy.X.vals[i], sizeof(float) * clean.X.cols);
            assert_memory_equal(threads.X.vals[i], noisy.X.vals[i], sizeof(float) * clean.X.cols);
            assert_memory_equal(threads.y.vals[i], noisy.y.vals[i], sizeof(float) * clean.y.cols);
            for (k = 0; k < clean.y.cols; ++k) {
                const int differ = clean.y.vals[i][k] != noisy.y.vals[i][k];
                changed += differ;
                if (differ && !is_class_entry(types[t], k)) fail_msg("image %d: entry %d is no class", i, k);
            }
        }
        assert_true(changed > BATCH / 4);
        free_data(clean), free_data(noisy), free_data(threads);
    }
    begin("");
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

/* In a process of its own, the program ends with one line that holds `text`. */
static void assert_ends(void (*run)(void), const char *text)
{
    int status;
    pid_t child;
    const char *line;
    fflush(stdout);
    hush();
    child = fork();
    if (!child) {
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    unhush();
    line = said();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 || strncmp(line, "darknet: ", 9) || !strstr(line, text) ||
        strchr(line, '\n') != line + strlen(line) - 1)
        fail_msg("wanted one line with: %s\ngot: %s", text, line);
}

static const char *keys_in_child;
static int classes_in_child = CLASSES;

static void begin_in_child(void)
{
    write_file("data", keys_in_child);
    use_object_noise(in_folder("data"), classes_in_child, 0, paths, IMAGES);
}

static void change_in_child(void)
{
    box_label boxes[MOST] = {{0}};
    change_classes(paths[3], boxes, 2);
}

static void what_cannot_be_is_refused(void **test)
{
    (void)test;
    keys_in_child = "noise=1.5\n";
    assert_ends(begin_in_child, "data:1: noise=1.5 is not valid: must be a number from 0 to 1");
    keys_in_child = "noise=.5\nnoise_seed=-1\n";
    assert_ends(begin_in_child, "data:2: noise_seed=-1 is not valid");
    keys_in_child = "classes=1\nnoise=.5\n";
    classes_in_child = 1;
    assert_ends(begin_in_child, "data:2: noise= needs two classes or more");
    classes_in_child = CLASSES - 1;
    assert_ends(begin_in_child, "noise= needs the labels of all images: ");
    assert_non_null(strstr(said(), "2.txt:3: class 4: must be 0 to 3"));
    classes_in_child = CLASSES;
    assert_int_equal(unlink(in_folder("3.txt")), 0);
    assert_ends(begin_in_child, "noise= needs the labels of all images: no labels ");
    write_labels(3, 3);
    begin(keys_in_child);
    assert_ends(change_in_child, "have changed since the training began: 2 objects, not 3");
    begin("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_share_of_all_objects_gets_another_class),
        cmocka_unit_test(the_noise_seed_alone_says_which),
        cmocka_unit_test(an_image_that_the_list_does_not_have_keeps_its_classes),
        cmocka_unit_test(pixels_and_boxes_of_a_batch_stay_as_they_were),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    keep_last_words();
    return cmocka_run_group_tests(tests, make_images, remove_images) != 0;
}
