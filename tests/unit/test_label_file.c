/* Tests of label_file.h: where training looks for label files, and which lines are invalid. */
#include "helpers/test_helpers.h"

#include "data/label_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char reason[400];

static void labels_are_where_darknets_replacements_lead(void **test)
{
    static const char *const paths[][2] = {
        {"/voc/JPEGImages/000001.jpg", "/voc/labels/000001.txt"},
        {"data/images/a.png", "data/labels/a.txt"},
        {"a.JPG", "a.txt"},
        {"a.JPEG", "a.txt"},
        {"raw/a.jpg", "labels/a.txt"},
        {"/images/images/a.jpg", "/labels/images/a.txt"},            /* only the first one */
        {"/images/JPEGImages/raw.jpg", "/labels/labels/labels.txt"}, /* each word once */
        {"/x.jpg/JPEGImages/a.jpg.png", "/x.txt/labels/a.jpg.txt"},  /* also in the name of a folder */
        {"/straw/a.jpg", "/stlabels/a.txt"},
    };
    char path[LABEL_PATH_SIZE];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(paths); ++i) {
        assert_int_equal(label_file_place(BY_DARKNETS_RULE, paths[i][0], path), 1);
        assert_string_equal(path, paths[i][1]);
    }
}

static void the_other_places_are_beside_the_folder_and_beside_the_image(void **test)
{
    static const char *const paths[][3] = {
        /* image, beside the folder (NULL: none), beside the image */
        {"data/images/a.jpeg", "data/labels/a.txt", "data/images/a.txt"},
        {"/images/x/images/a.bmp", "/images/x/labels/a.txt", "/images/x/images/a.txt"},
        {"/voc/JPEGImages/raw/a.JPG", "/voc/labels/raw/a.txt", "/voc/JPEGImages/raw/a.txt"},
        {"/JPEGImages/images/a.png", "/JPEGImages/labels/a.txt", "/JPEGImages/images/a.txt"},
        {"images/a.jpg.png", "labels/a.jpg.txt", "images/a.jpg.txt"},
        {"my.images/a.jpg", 0, "my.images/a.txt"},
        {"a.b/c", 0, "a.b/c.txt"},
        {"images", 0, "images.txt"},
    };
    char path[LABEL_PATH_SIZE];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(paths); ++i) {
        assert_int_equal(label_file_place(BESIDE_THE_FOLDER, paths[i][0], path), paths[i][1] != 0);
        if (paths[i][1]) assert_string_equal(path, paths[i][1]);
        assert_int_equal(label_file_place(BESIDE_THE_IMAGE, paths[i][0], path), 1);
        assert_string_equal(path, paths[i][2]);
    }
    assert_int_equal(label_file_place(BY_DARKNETS_RULE, "images/a.bmp", path), 0);
    assert_int_equal(label_file_place(BY_RULE_OF_DETECTION, "/draw/my_images/a.jpg", path), 1);
    assert_string_equal(path, "/draw/my_labels/a.txt");
    assert_int_equal(label_file_place(BY_RULE_OF_DETECTION, "/images/a.jpg", path), 0); /* as by Darknet's rule */
}

static void write_empty(const char *path)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fclose(out);
}

static void the_first_place_with_a_file_has_the_labels(void **test)
{
    /* Darknet's rule makes labels/images/a.txt of the first, and of the second a name that ends in .bmp. */
    static const char *const images[] = {"images/images/a.png", "images/images/a.bmp"};
    char folder[] = "/tmp/test_label_file.XXXXXX", path[LABEL_PATH_SIZE], old[LABEL_PATH_SIZE];
    size_t i;
    (void)test;
    assert_non_null(getcwd(old, sizeof old));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    mkdir("images", 0700), mkdir("images/images", 0700), mkdir("images/labels", 0700);
    mkdir("labels", 0700), mkdir("labels/images", 0700);
    for (i = 0; i < COUNT(images); ++i) {
        assert_int_equal(label_file_path(images[i], path, reason, sizeof reason), LABELS_OK);
        assert_string_equal(path,
                            i ? "images/labels/a.txt" : "labels/images/a.txt"); /* the first, where there is none */
        write_empty("images/images/a.txt");
        assert_int_equal(label_file_path(images[i], path, reason, sizeof reason), LABELS_OK);
        assert_string_equal(path, "images/images/a.txt");
        write_empty("images/labels/a.txt");
        assert_int_equal(label_file_path(images[i], path, reason, sizeof reason), LABELS_OK);
        assert_string_equal(path, "images/labels/a.txt");
        write_empty("labels/images/a.txt");
        assert_int_equal(label_file_path(images[i], path, reason, sizeof reason), LABELS_OK);
        assert_string_equal(path, i ? "images/labels/a.txt" : "labels/images/a.txt");
        remove("images/images/a.txt"), remove("images/labels/a.txt"), remove("labels/images/a.txt");
    }
    rmdir("labels/images"), rmdir("labels"), rmdir("images/labels"), rmdir("images/images"), rmdir("images");
    assert_int_equal(chdir(old), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void paths_that_are_too_long_are_refused(void **test)
{
    char path[LABEL_PATH_SIZE], longest[2 * LABEL_PATH_SIZE];
    size_t i;
    (void)test;
    memset(longest, 'a', sizeof longest);
    for (i = LABEL_PATH_SIZE - 100; i < sizeof longest; ++i) {
        strcpy(longest + i - 4, ".jpg");
        if (label_file_path(longest, path, reason, sizeof reason) != LABELS_OK) break;
        assert_int_equal(strlen(path), i);
        longest[i - 4] = longest[i - 3] = longest[i - 2] = longest[i - 1] = longest[i] = 'a';
    }
    assert_in_range(i, LABEL_PATH_SIZE - 99, LABEL_PATH_SIZE);
    assert_non_null(strstr(reason, "path too long"));
}

static char file[64];

static labels_status read_text(const char *text, label_boxes *boxes)
{
    FILE *out = fopen(file, "w");
    labels_status status;
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    status = label_file_read(file, 3, boxes, reason, sizeof reason);
    remove(file);
    return status;
}

static void boxes_are_read_and_appended(void **test)
{
    label_boxes boxes = {0};
    (void)test;
    assert_int_equal(read_text("\xef\xbb\xbf"
                               "0 .5 .25 .125 1\r\n\n \t\n2 0 1 1e-1 .75",
                               &boxes),
                     LABELS_OK);
    assert_int_equal(boxes.count, 2);
    assert_int_equal(boxes.items[0].class_id, 0);
    assert_true(boxes.items[1].single[2] == .1f);
    assert_close(boxes.items[0].x, .5, 0);
    assert_close(boxes.items[0].y, .25, 0);
    assert_close(boxes.items[0].w, .125, 0);
    assert_close(boxes.items[0].h, 1, 0);
    assert_int_equal(boxes.items[1].class_id, 2);
    assert_close(boxes.items[1].w, .1, 0);
    assert_close(boxes.items[1].h, .75, 0);
    assert_int_equal(read_text("1 .1 .2 .3 .4\n", &boxes), LABELS_OK);
    assert_int_equal(boxes.count, 3);
    assert_int_equal(boxes.items[2].class_id, 1);
    assert_int_equal(read_text("", &boxes), LABELS_OK);
    assert_int_equal(boxes.count, 3);
    free(boxes.items);
}

static void many_boxes_fit(void **test)
{
    enum { MANY = 1000 };
    char *text = (char *)malloc(MANY * 16 + 1);
    label_boxes boxes = {0};
    int i;
    (void)test;
    for (i = 0; i < MANY; ++i) sprintf(text + 16 * i, "%d .5 .5 .5 .%03d\n", i % 3, i + 1 < MANY ? i + 1 : 1);
    assert_int_equal(read_text(text, &boxes), LABELS_OK);
    assert_int_equal(boxes.count, MANY);
    for (i = 0; i < MANY - 1; ++i) assert_close(boxes.items[i].h, (i + 1) / 1000., 1e-12);
    free(boxes.items);
    free(text);
}

static void lines_that_are_no_labels_are_named(void **test)
{
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"0 .5 .5 .5", ":2: a label is five numbers"},
        {"0 .5 .5 .5 .5 .5", ":2: a label is five numbers"},
        {"3 .5 .5 .5 .5", ":2: class 3: must be 0 to 2"},
        {"-1 .5 .5 .5 .5", ":2: class -1: must be 0 to 2"},
        {"1.0 .5 .5 .5 .5", ":2: class 1.0: must be 0 to 2"},
        {"dog .5 .5 .5 .5", ":2: class dog: must be 0 to 2"},
        {"0 1.1 .5 .5 .5", ":2: x 1.1: must be 0 to 1"},
        {"0 .5 -.1 .5 .5", ":2: y -.1: must be 0 to 1"},
        {"0 .5 .5 0 .5", ":2: width 0: must be above 0"},
        {"0 .5 .5 .5 50", ":2: height 50: must be above 0 and 1 at most"},
        {"0 0 0 .5 .5", ":2: a box at x 0, y 0"},
        {"0 0 0 0 0", ":2: width 0: must be above 0"},
        {"0,.5,.5,.5,.5", ":2: a label is five numbers"},
        {"0 320 240 64 48", ":2: x 320: must be 0 to 1"},
        {"0 inf .5 .5 .5", ":2: x inf: must be"},
        {"0 .5 .5 -.5 .5", ":2: width -.5: must be above 0"},
        {"0 .5 .5 .5 nan", ":2: height nan: must be"},
        {"0 .5 .5 .5 0x1", ":2: height 0x1: must be"},
        {"0 .5 .5 .5 .5e", ":2: height .5e: must be"},
        {"0 .5 .5 .5 .5x", ":2: height .5x: must be"},
    };
    label_boxes boxes = {0};
    char text[200];
    size_t i;
    (void)test;
    assert_int_equal(read_text("2 .1 .2 .3 .4\n", &boxes), LABELS_OK);
    for (i = 0; i < COUNT(bad); ++i) {
        snprintf(text, sizeof text, "0 .5 .5 .5 .5\n%s\n", bad[i].line);
        assert_int_equal(read_text(text, &boxes), LABELS_BAD);
        if (strncmp(reason, file, strlen(file)) || strncmp(reason + strlen(file), bad[i].reason, strlen(bad[i].reason)))
            fail_msg("%s: %s", bad[i].line, reason);
        assert_int_equal(boxes.count, 1); /* unchanged */
    }
    free(boxes.items);
}

static void a_line_that_never_ends_is_no_label(void **test)
{
    label_boxes boxes = {0};
    char *text = (char *)malloc(5001);
    (void)test;
    memset(text, ' ', 5000);
    memcpy(text, "0 .5 .5 .5 .5", 13);
    text[5000] = 0;
    assert_int_equal(read_text(text, &boxes), LABELS_BAD);
    assert_non_null(strstr(reason, ":1: not a line of text"));
    free(boxes.items);
    free(text);
}

static void no_file_is_told_from_one_that_cannot_be_read(void **test)
{
    label_boxes boxes = {0};
    (void)test;
    assert_int_equal(label_file_read("/no/such/file.txt", 3, &boxes, reason, sizeof reason), LABELS_MISSING);
    assert_non_null(strstr(reason, "/no/such/file.txt"));
    assert_int_equal(label_file_read("/", 3, &boxes, reason, sizeof reason), LABELS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_where_darknets_replacements_lead),
        cmocka_unit_test(the_other_places_are_beside_the_folder_and_beside_the_image),
        cmocka_unit_test(the_first_place_with_a_file_has_the_labels),
        cmocka_unit_test(paths_that_are_too_long_are_refused),
        cmocka_unit_test(boxes_are_read_and_appended),
        cmocka_unit_test(many_boxes_fit),
        cmocka_unit_test(lines_that_are_no_labels_are_named),
        cmocka_unit_test(a_line_that_never_ends_is_no_label),
        cmocka_unit_test(no_file_is_told_from_one_that_cannot_be_read),
    };
    snprintf(file, sizeof file, "/tmp/test_label_file.%ld.txt", (long)getpid());
    return cmocka_run_group_tests_name("label_file", tests, 0, 0) != 0;
}
