/* The chart of a training (train/training_log.h): its right axis, and what its curves are named. Where gnuplot would
 * run, a script of this name keeps what it is told. */
#include "train/training_log.h"
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_axis(double lowest, double highest, double low, double high)
{
    double a, b;
    training_chart_axis(lowest, highest, &a, &b);
    if (a != low || b != high) fail_msg("%g to %g, not %g to %g", a, b, low, high);
}

static void the_axis_ends_at_multiples_of_five_around_the_values(void **state)
{
    (void)state;
    assert_axis(41.2, 62.3, 40, 65);
    assert_axis(40, 65, 40, 65);
    assert_axis(0, 100, 0, 100);
}

static void the_axis_is_ten_long_at_least_and_from_0_to_100_at_most(void **state)
{
    (void)state;
    assert_axis(51, 52, 50, 60);
    assert_axis(50, 50, 50, 60);
    assert_axis(0, 0, 0, 10);
    assert_axis(98, 99, 90, 100);
    assert_axis(100, 100, 90, 100);
}

/* The script for a log with these rows of (mAP, validation loss, AP of a class), -1 where there is none. */
static const char *script_of(const double (*rows)[3], size_t count)
{
    static char script[8192];
    log_format format = {0};
    training_rows none = {0};
    char path[512];
    FILE *file;
    size_t i, length;
    log_format_add(&format, "mAP", DRAWN_IN_PERCENT, "#d94801");
    log_format_add(&format, "validation loss", DRAWN_AS_LOSS, "#238b45");
    log_format_add(&format, "AP it's", DRAWN_NOWHERE, 0);
    format.axis_title = "mAP, %";
    assert_int_equal(training_rows_write(in_folder("log.csv"), &format, &none, 0), 0);
    for (i = 0; i < count; ++i) {
        double measures[] = {rows[i][0], rows[i][1], rows[i][2]};
        const training_row row = {i + 1, 1, 8, 2. / (i + 1), 3. / (i + 1), .1, measures, -1};
        assert_int_equal(training_row_append(in_folder("log.csv"), &format, &row), 0);
    }
    snprintf(path, sizeof path, "%s", in_folder("log.csv"));
    training_chart(path, &format, in_folder("chart.png"), "title");
    log_format_free(&format);
    file = fopen(in_folder("script"), "r");
    assert_non_null(file);
    length = fread(script, 1, sizeof script - 1, file);
    script[length] = 0;
    fclose(file);
    return script;
}

static void assert_has(const char *script, const char *text)
{
    if (!strstr(script, text)) fail_msg("no %s in: %s", text, script);
}

static void curves_have_their_last_and_their_best_value_and_the_axis_fits_them(void **state)
{
    const double rows[][3] = {{.412, 1.5, .1}, {-1, -1, -1}, {.623, .75, .1}, {.58, .8, .1}};
    const char *script = script_of(rows, 4);
    (void)state;
    assert_has(script, "set y2range [40:65]\n");
    assert_has(script, "title 'mAP 58.0, highest 62.3'");
    assert_has(script, "title 'validation loss 0.8, lowest 0.75'");
    assert_has(script, "title 'running average 0.75, lowest 0.75'");
    assert_null(strstr(script, "AP it"));
}

static void a_validation_loss_far_above_the_losses_does_not_stretch_their_axis(void **state)
{
    const double early[][3] = {{0, 2e6, .1}, {.3, 1.2, .1}}, ordinary[][3] = {{0, 29, .1}, {.3, 1.2, .1}};
    (void)state;
    assert_has(script_of(early, 2), "set yrange [*:30]\n"); /* the running average begins with 3 */
    assert_null(strstr(script_of(ordinary, 2), "set yrange"));
}

static void before_the_first_evaluation_the_axis_is_whole_and_names_are_alone(void **state)
{
    const double rows[][3] = {{-1, -1, -1}};
    const char *script = script_of(rows, 1);
    (void)state;
    assert_has(script, "set y2range [0:100]\n");
    assert_has(script, "title 'mAP'");
    assert_has(script, "title 'validation loss'");
}

static int make_folder(void **state)
{
    char path[8192];
    FILE *file;
    (void)state;
    if (make_folder_for("test_training_chart")) return -1;
    file = fopen(in_folder("gnuplot"), "w");
    if (!file) return -1;
    fprintf(file, "#!/bin/sh\nexec cat >'%s'\n", in_folder("script"));
    fclose(file);
    if (chmod(in_folder("gnuplot"), 0700)) return -1;
    snprintf(path, sizeof path, "%s:%s", in_folder(""), getenv("PATH"));
    return setenv("PATH", path, 1);
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"gnuplot", "script", "log.csv"};
    (void)state;
    return remove_folder_with(names, COUNT(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_axis_ends_at_multiples_of_five_around_the_values),
        cmocka_unit_test(the_axis_is_ten_long_at_least_and_from_0_to_100_at_most),
        cmocka_unit_test(curves_have_their_last_and_their_best_value_and_the_axis_fits_them),
        cmocka_unit_test(a_validation_loss_far_above_the_losses_does_not_stretch_their_axis),
        cmocka_unit_test(before_the_first_evaluation_the_axis_is_whole_and_names_are_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
