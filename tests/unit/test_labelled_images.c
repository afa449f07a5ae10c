/* The promises of labelled_images.h and label_table.h: which class an image has, what noise changes, and what is
 * refused. */
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include "data/label_noise.h"
#include "data/label_table.h"
#include "data/labelled_images.h"

#include <zlib.h>

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A .data file of these classes, with lists and names in the folder, and `more` behind them. */
static const char *data_file(int classes, const char *more)
{
    char text[4096];
    snprintf(text, sizeof text, "classes=%d\ntrain = %s\nvalid=%s\nlabels=%s\n%s", classes, in_folder("list"),
             in_folder("list"), in_folder("labels"), more);
    write_file("data", text);
    return in_folder("data");
}

static int read_quietly(const char *key, const char *file, labelled_images *images)
{
    int status;
    hush();
    status = labelled_images_read(file, key, images);
    unhush();
    return status;
}

/* Reads the list train=, and compares its labels. */
static void assert_labels(const char *file, const int *labels, int count)
{
    labelled_images images;
    int i, status = read_quietly("train", file, &images);
    if (status) fail_msg("%s", said());
    assert_int_equal(images.count, count);
    for (i = 0; i < count; ++i) assert_int_equal(images.labels[i], labels[i]);
    labelled_images_free(&images);
}

/* Reading is refused with one line that holds `text`. */
static void assert_refused(const char *file, const char *text)
{
    labelled_images images;
    const char *line;
    assert_int_equal(read_quietly("train", file, &images), 1);
    labelled_images_free(&images);
    line = said();
    if (strncmp(line, "darknet: ", 9) || !strstr(line, text) || strchr(line, '\n') != line + strlen(line) - 1)
        fail_msg("wanted one line with: %s\ngot: %s", text, line);
}

static void one_substring_is_the_label(void **test)
{
    static const int labels[] = {1, 0, 2};
    (void)test;
    write_file("labels", "cat\ndog\nbird\n");
    write_file("list", "x/dog/1.jpg\nx/2_cat.jpg\nbird.png\n\n\n");
    assert_labels(data_file(3, ""), labels, 3);
}

static void none_or_several_substrings_are_refused(void **test)
{
    (void)test;
    write_file("labels", "cat\ncaterpillar\ndog\n");
    write_file("list", "x/dog/1.jpg\nx/caterpillar/1.jpg\n");
    assert_refused(data_file(3, ""), "list:2: x/caterpillar/1.jpg holds 2 of the labels in ");
    assert_non_null(strstr(said(), ": cat, caterpillar "));
    write_file("list", "x/dog/1.jpg\nx/dog/1.jpg\nx/horse/1.jpg\n");
    assert_refused(data_file(3, ""), "list:3: x/horse/1.jpg holds none of the labels in ");
}

static void of_one_class_an_image_may_be_none(void **test)
{
    static const int labels[] = {0, -1};
    (void)test;
    write_file("labels", "cat\n");
    write_file("list", "cat.jpg\nother.jpg\n");
    assert_labels(data_file(1, ""), labels, 2);
}

static void a_folder_is_a_label_as_a_whole(void **test)
{
    static const int labels[] = {0, 1, 1};
    (void)test;
    write_file("labels", "cat\ncaterpillar\n");
    write_file("list", "caterpillar/cat/1.jpg\ncat/caterpillar/cat.jpg\ncaterpillar//1.jpg\n");
    assert_labels(data_file(2, "truth = folder\n"), labels, 3);
    write_file("list", "cat/1.jpg\ncats/2.jpg\n");
    assert_refused(data_file(2, "truth=folder\n"), "list:2: unknown label \"cats\"");
    write_file("list", "1.jpg\n");
    assert_refused(data_file(2, "truth=folder\n"), "list:1: 1.jpg lies in no folder");
    write_file("list", "/1.jpg\n");
    assert_refused(data_file(2, "truth=folder\n"), "list:1: /1.jpg lies in no folder");
}

/* labels= of ImageNet are identifiers and unique; its names are neither. */
static void names_are_looked_for_after_labels(void **test)
{
    static const int labels[] = {2, 0, 1};
    char more[512];
    labelled_images images;
    (void)test;
    write_file("labels", "n1\nn2\nn3\n");
    write_file("names", "crane\nbird\ncrane\n");
    write_file("list", "n3/1.jpg\nn1/1.jpg\nbird/1.jpg\n");
    snprintf(more, sizeof more, "truth=folder\nnames=%s\n", in_folder("names"));
    assert_labels(data_file(3, more), labels, 3);
    assert_int_equal(labelled_images_read(in_folder("data"), "train", &images), 0);
    assert_string_equal(images.names[0], "crane");
    labelled_images_free(&images);
    write_file("list", "crane/1.jpg\n");
    assert_refused(data_file(3, more), "list:1: the label \"crane\" stands for several classes: lines 1 and 3 of ");
}

static void a_list_says_name_or_number(void **test)
{
    static const int labels[] = {1, 0, 2, 0};
    labelled_images images;
    (void)test;
    write_file("labels", "cat\n0\nbird\n"); /* a name comes before a number */
    write_file("list", "cat/1.jpg\t0\r\nwith space.jpg\tcat\nb\t2\nb\tcat\n");
    assert_labels(data_file(3, "truth=list\n"), labels, 4);
    assert_int_equal(labelled_images_read(in_folder("data"), "train", &images), 0);
    assert_string_equal(images.paths[1], "with space.jpg");
    labelled_images_free(&images);
}

static void a_wrong_line_of_a_list_is_refused(void **test)
{
    static const char *const lines[][2] = {
        {"a.jpg", "list:2: with truth=list a line is path<TAB>label"},
        {"a.jpg cat", "list:2: with truth=list a line is path<TAB>label"},
        {"\tcat", "list:2: with truth=list a line is path<TAB>label"},
        {"a.jpg\t", "list:2: with truth=list a line is path<TAB>label"},
        {"a.jpg\tca", "list:2: unknown label \"ca\": must be a line of "},
        {"a.jpg\t2", "or a number from 0 to 1"},
        {"a.jpg\t-1", "list:2: unknown label \"-1\""},
        {"a.jpg\t1x", "list:2: unknown label \"1x\""},
    };
    size_t i;
    (void)test;
    write_file("labels", "cat\ndog\n");
    for (i = 0; i < COUNT(lines); ++i) {
        char text[256];
        snprintf(text, sizeof text, "a.jpg\tcat\n%s\na.jpg\tdog\n", lines[i][0]);
        write_file("list", text);
        assert_refused(data_file(2, "truth=list\n"), lines[i][1]);
    }
}

static void line_ends_and_blanks_of_other_systems_change_nothing(void **test)
{
    labelled_images images;
    (void)test;
    write_file("labels", "\xef\xbb\xbf"
                         "cat\r\ndog \r\n\r\n");
    write_file("list", "\xef\xbb\xbf"
                       "a.jpg\tcat\r\nb.jpg\tdog \t\r\n \r\n\n");
    assert_int_equal(labelled_images_read(data_file(2, "truth=list\n"), "train", &images), 0);
    assert_int_equal(images.count, 2);
    assert_string_equal(images.paths[0], "a.jpg");
    assert_string_equal(images.paths[1], "b.jpg");
    assert_int_equal(images.labels[0], 0);
    assert_int_equal(images.labels[1], 1);
    assert_string_equal(images.names[1], "dog");
    labelled_images_free(&images);
}

static void wrong_values_of_keys_are_refused(void **test)
{
    static const char *const keys[][2] = {
        {"truth=path\n", "data:5: truth=path is not valid: must be folder or list"},
        {"# a remark\ntruth=\n", "data:6: truth= has no value"},
        {"truth\n", "data:5: truth= has no value"},
        {"noise=1.1\n", "data:5: noise=1.1 is not valid: must be a number from 0 to 1"},
        {"noise=-.1\n", "data:5: noise=-.1 is not valid"},
        {"noise=40%\n", "data:5: noise=40% is not valid"},
        {"noise=\n", "data:5: noise= has no value"},
        {"noise=.1\nnoise_seed=x\n", "data:6: noise_seed=x is not valid: must be a whole number from 0 to 4294967295"},
        {"noise=.1\nnoise_file=x\n", "data:6: noise_file= does not go together with noise="},
        {"noise_column=x\n", "data:5: noise_column= needs a noise_file="},
        {"noise_file=missing\n", "cannot read the table of labels missing"},
        {"names=missing\n", "cannot read the list of names missing"},
    };
    size_t i;
    (void)test;
    write_file("labels", "cat\ndog\n");
    write_file("list", "cat.jpg\n");
    for (i = 0; i < COUNT(keys); ++i) assert_refused(data_file(2, keys[i][0]), keys[i][1]);
    assert_refused(data_file(3, ""), "labels has 2 lines, but ");
    assert_refused(data_file(0, ""), "data:1: classes=0 is not valid: must be a whole number from 1 to 1000000");
    write_file("data", "classes=2\n");
    assert_refused(in_folder("data"), "data has no train=");
    write_file("labels", "cat\n");
    write_file("list", "cat.jpg\n");
    assert_refused(data_file(1, "noise=.5\n"), "data:5: noise= needs two classes or more");
}

/* ---- Noise ------------------------------------------------------------------------------------------------------- */

enum { MANY = 30000, CLASSES = 5 };

static void noise_changes_exactly_its_share_to_any_other_class(void **test)
{
    static const struct {
        double share;
        int count, changed;
    } cases[] = {{.4, MANY, 12000}, {0, MANY, 0}, {1, MANY, MANY}, {.25, 10, 3}, {.24, 10, 2}, {.5, 1, 1}};
    static int labels[MANY];
    size_t at;
    (void)test;
    for (at = 0; at < COUNT(cases); ++at) {
        int moved[CLASSES][CLASSES] = {{0}}, i, j, changed = 0;
        for (i = 0; i < cases[at].count; ++i) labels[i] = i % CLASSES;
        assert_int_equal(add_symmetric_noise(cases[at].share, 7, CLASSES, labels, cases[at].count), cases[at].changed);
        for (i = 0; i < cases[at].count; ++i) {
            assert_in_range(labels[i], 0, CLASSES - 1);
            changed += labels[i] != i % CLASSES;
            ++moved[i % CLASSES][labels[i]];
        }
        assert_int_equal(changed, cases[at].changed);
        if (changed < 1000) continue;
        /* Each of the 20 ways is as probable; within four standard deviations of a binomial count. */
        for (i = 0; i < CLASSES; ++i) {
            for (j = 0; j < CLASSES; ++j) {
                const double expected = changed / (CLASSES * (CLASSES - 1.));
                if (i != j) assert_close(moved[i][j], expected, 4 * sqrt(expected));
            }
        }
    }
}

static void a_seed_of_noise_says_which(void **test)
{
    static int first[MANY], again[MANY], other[MANY];
    int i, same = 0;
    (void)test;
    for (i = 0; i < MANY; ++i) first[i] = again[i] = other[i] = i % CLASSES;
    add_symmetric_noise(.4, 1, CLASSES, first, MANY);
    add_symmetric_noise(.4, 1, CLASSES, again, MANY);
    add_symmetric_noise(.4, 2, CLASSES, other, MANY);
    assert_memory_equal(first, again, sizeof first);
    for (i = 0; i < MANY; ++i) same += first[i] != i % CLASSES && other[i] != i % CLASSES;
    assert_close(same, .4 * .4 * MANY, 4 * sqrt(.16 * .84 * MANY)); /* drawn apart from each other */
}

static void noise_is_in_the_training_list_alone_and_the_clean_labels_stay(void **test)
{
    static const char keys[] = "truth=folder\nnoise=.5\nnoise_seed=3\n";
    labelled_images train, valid;
    int i, changed = 0;
    (void)test;
    write_file("labels", "cat\ndog\n");
    write_file("list", "cat/1\ncat/2\ndog/3\ndog/4\ndog/5\ndog/6\n");
    assert_int_equal(read_quietly("valid", data_file(2, keys), &valid), 0);
    assert_string_equal(said(), "");
    assert_int_equal(read_quietly("train", data_file(2, keys), &train), 0);
    assert_string_equal(said(), "Noise: 3 of 6 training labels (50.00 %) are changed, by noise=0.5, noise_seed=3\n");
    for (i = 0; i < 6; ++i) {
        assert_int_equal(valid.labels[i], i > 1);
        assert_int_equal(valid.clean_labels[i], i > 1);
        assert_int_equal(train.clean_labels[i], i > 1);
        changed += train.labels[i] != train.clean_labels[i];
    }
    assert_int_equal(changed, 3);
    labelled_images_free(&train);
    labelled_images_free(&valid);
}

/* A .data file whose labels come from the table in the folder. */
static const char *data_with_table(const char *name, const char *more)
{
    char text[1024];
    snprintf(text, sizeof text, "truth=folder\nnoise_file=%s\n%s", in_folder(name), more);
    return data_file(2, text);
}

static void a_table_gives_labels_to_paths_that_end_as_its_own(void **test)
{
    static const int labels[] = {1, 0, 1};
    (void)test;
    write_file("labels", "cat\ndog\n");
    write_file("list", "/data/cat/1\n/data/dog/1\ndog/2\n");
    write_file("table", "dog/1\tcat\ncat/1\t1\r\ndog/2\tdog\nhorse/1\tcat");
    assert_labels(data_with_table("table", ""), labels, 3);
    assert_non_null(strstr(said(), "Noise: 2 of 3 training labels (66.67 %) are changed, by "));
    /* the longest path fits */
    write_file("table", "1\tdog\ndog/1\tcat\n2\tdog\n");
    assert_labels(data_with_table("table", ""), labels, 3);
}

static void a_table_may_be_packed_and_have_more_columns(void **test)
{
    static const char text[] =
        "file\tclean\tworst\nother\tcat\tcat\ncat/1\tcat\tdog\ndog/1\tdog\tcat\ndog/2\tdog\tdog\n";
    static const int worst[] = {1, 0, 1}, clean[] = {0, 1, 1};
    char packed[1024];
    gzFile file;
    FILE *cut;
    size_t size;
    (void)test;
    write_file("labels", "cat\ndog\n");
    write_file("list", "/data/cat/1\n/data/dog/1\ndog/2\n");
    file = gzopen(in_folder("table.gz"), "wb");
    gzwrite(file, text, sizeof text - 1);
    gzclose(file);
    assert_labels(data_with_table("table.gz", "noise_column=worst\n"), worst, 3);
    assert_labels(data_with_table("table.gz", "noise_column=clean\n"), clean, 3);
    assert_non_null(strstr(said(), "Noise: 0 of 3 training labels (0.00 %)"));
    assert_refused(data_with_table("table.gz", ""), "table.gz:1: more than two columns: noise_column= must say");
    assert_refused(data_with_table("table.gz", "noise_column=file\n"), "table.gz:1: no column is named \"file\"");
    assert_refused(data_with_table("table.gz", "noise_column=best\n"), "table.gz:1: no column is named \"best\"");
    cut = fopen(in_folder("table.gz"), "rb");
    size = fread(packed, 1, sizeof packed, cut);
    fclose(cut);
    cut = fopen(in_folder("cut.gz"), "wb");
    fwrite(packed, 1, size - 6, cut);
    fclose(cut);
    assert_refused(data_with_table("cut.gz", "noise_column=worst\n"), "cut.gz: damaged or cut off");
}

static void a_table_that_does_not_fit_is_refused(void **test)
{
    static const char *const tables[][2] = {
        {"a/cat/1\tcat\na/dog/1\n", "table:2: no label: a line is path<TAB>label"},
        {"cat/1\tcat\n\tdog\n", "table:2: no label"},
        {"cat/1\tcat\ndog/1\thorse\n", "table:2: unknown label \"horse\""},
        {"cat/1\tcat\n", "table has no label for a/dog/1"},
        {"at/1\tcat\ndog/1\tdog\n", "table has no label for a/cat/1"},
        {"1\tcat\n", "table:1: 1 could be a/cat/1 or a/dog/1"},
        {"dog/1\tcat\ncat/1\tcat\ncat/1\tdog\n", "table: lines 2 and 3 are both for cat/1"},
        {"", "table is empty"},
    };
    size_t i;
    (void)test;
    write_file("labels", "cat\ndog\n");
    write_file("list", "a/cat/1\na/dog/1\n");
    for (i = 0; i < COUNT(tables); ++i) {
        write_file("table", tables[i][0]);
        assert_refused(data_with_table("table", ""), tables[i][1]);
    }
}

/* ---- What Darknet asks ------------------------------------------------------------------------------------------- */

static void a_path_is_known_by_its_address(void **test)
{
    char lines[][8] = {"a\tcat", "a\tdog", "b\tcat", ""}, *paths[4], stranger[] = "a";
    float truth[2];
    int i;
    (void)test;
    for (i = 0; i < 4; ++i) paths[i] = lines[i];
    write_file("labels", "cat\ndog\n");
    write_file("list", "a\tcat\na\tdog\nb\tcat\n\n");
    hush();
    assert_int_equal(use_labels(data_file(2, "truth=list\nnoise=.34\n"), "train", paths, 4), 3);
    unhush();
    for (i = 0; i < 3; ++i) {
        assert_string_equal(paths[i], i < 2 ? "a" : "b");
        truth[0] = truth[1] = 9;
        assert_true(fill_label(paths[i], 2, truth));
        assert_int_equal(truth[label_of(paths[i])], 1);
        assert_int_equal(truth[!label_of(paths[i])], 0);
    }
    /* one of three is changed */
    assert_int_equal((label_of(paths[0]) != 0) + (label_of(paths[1]) != 1) + (label_of(paths[2]) != 0), 1);
    assert_int_equal(label_of(stranger), -1);
    assert_false(fill_label(stranger, 2, truth));
}

static int setup(void **state)
{
    (void)state;
    return make_folder_for("test-labelled-images");
}

static int teardown(void **state)
{
    static const char *const files[] = {"data", "list", "labels", "names", "table", "table.gz", "cut.gz"};
    (void)state;
    return remove_folder_with(files, COUNT(files));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_substring_is_the_label),
        cmocka_unit_test(none_or_several_substrings_are_refused),
        cmocka_unit_test(of_one_class_an_image_may_be_none),
        cmocka_unit_test(a_folder_is_a_label_as_a_whole),
        cmocka_unit_test(names_are_looked_for_after_labels),
        cmocka_unit_test(a_list_says_name_or_number),
        cmocka_unit_test(a_wrong_line_of_a_list_is_refused),
        cmocka_unit_test(line_ends_and_blanks_of_other_systems_change_nothing),
        cmocka_unit_test(wrong_values_of_keys_are_refused),
        cmocka_unit_test(noise_changes_exactly_its_share_to_any_other_class),
        cmocka_unit_test(a_seed_of_noise_says_which),
        cmocka_unit_test(noise_is_in_the_training_list_alone_and_the_clean_labels_stay),
        cmocka_unit_test(a_table_gives_labels_to_paths_that_end_as_its_own),
        cmocka_unit_test(a_table_may_be_packed_and_have_more_columns),
        cmocka_unit_test(a_table_that_does_not_fit_is_refused),
        cmocka_unit_test(a_path_is_known_by_its_address),
    };
    keep_last_words();
    return cmocka_run_group_tests_name("labelled images", tests, setup, teardown) != 0;
}
