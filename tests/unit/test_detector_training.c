/* The parts of src/train/detector_training.h: sizes of random=1, when a training has diverged, what is left of a log
 * that is gone on with, speed, and what a child process says. */
#include "helpers/leaks_of_darknet.h"
#include "helpers/test_helpers.h"

#include "base/child_process.h"
#include "eval/detect.h"
#include "train/divergence.h"
#include "train/multi_scale.h"
#include "network.h"
#include "base/progress.h"
#include "train/training_log.h"
#include "train/validation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

static void the_sizes_from_416_on_are_those_that_darknet_draws(void **test)
{
    static const int cfg[] = {416, 448, 608, 832};
    static const int strides[] = {8, 16, 32, 64};
    int i, k, draw, drawn[500], after;
    (void)test;
    /* its own line */
    srand(7);
    for (draw = 0; draw < 500; ++draw) drawn[draw] = (rand() % 10 + 10) * 32;
    after = rand();
    for (i = 0; i < 4; ++i) {
        for (k = 0; k < 4; ++k) {
            const multi_scale scale = multi_scale_range(cfg[i], cfg[i], strides[k]);
            srand(7);
            for (draw = 0; draw < 500; ++draw) {
                int w, h;
                multi_scale_draw(&scale, 0, &w, &h);
                assert_int_equal(w, drawn[draw]);
                assert_int_equal(h, drawn[draw]);
            }
            assert_int_equal(rand(), after);
        }
    }
}

static void the_last_size_from_416_on_is_608(void **test)
{
    const multi_scale scale = multi_scale_range(416, 416, 32);
    int w, h;
    (void)test;
    srand(1);
    multi_scale_draw(&scale, 1, &w, &h);
    assert_int_equal(w, 608);
    assert_int_equal(h, 608);
    srand(1);
    (void)rand();
    w = rand();
    srand(1);
    multi_scale_draw(&scale, 1, &h, &h);
    assert_int_equal(rand(), w); /* it has drawn nevertheless */
}

static void a_smaller_cfg_has_sizes_around_its_own(void **test)
{
    static const struct {
        int side, stride, least, most;
    } cases[] = {
        {96, 16, 80, 144},   {96, 32, 64, 128}, {224, 32, 160, 320}, {320, 32, 256, 480}, {384, 32, 288, 576},
        {415, 32, 320, 608}, {48, 8, 40, 72},   {64, 32, 64, 96},    {32, 32, 32, 32},    {100, 16, 80, 144},
        {81, 27, 54, 108},   {16, 32, 32, 32},  {20, 1, 15, 29},
    };
    size_t c;
    (void)test;
    for (c = 0; c < COUNT(cases); ++c) {
        const multi_scale scale = multi_scale_range(cases[c].side, cases[c].side, cases[c].stride);
        int draw, least = 1 << 30, most = 0;
        srand(3);
        for (draw = 0; draw < 1000; ++draw) {
            int w, h;
            multi_scale_draw(&scale, 0, &w, &h);
            assert_int_equal(w, h);
            assert_int_equal(w % cases[c].stride, 0);
            if (w < least) least = w;
            if (w > most) most = w;
        }
        assert_int_equal(least, cases[c].least);
        assert_int_equal(most, cases[c].most);
    }
}

static void a_smaller_cfg_ends_at_its_own_size(void **test)
{
    const multi_scale scale = multi_scale_range(100, 60, 16);
    int w, h;
    (void)test;
    multi_scale_draw(&scale, 1, &w, &h);
    assert_int_equal(w, 100);
    assert_int_equal(h, 60);
}

static void width_and_height_keep_their_proportion(void **test)
{
    static const int cfg[][3] = {{224, 128, 16}, {128, 224, 16}, {608, 352, 32}, {320, 32, 32}, {300, 200, 20}};
    size_t c;
    (void)test;
    for (c = 0; c < COUNT(cfg); ++c) {
        const multi_scale scale = multi_scale_range(cfg[c][0], cfg[c][1], cfg[c][2]);
        int i;
        for (i = 0; i < scale.count; ++i) {
            int w, h;
            multi_scale_size(&scale, i, &w, &h);
            assert_true(w >= cfg[c][2] && h >= cfg[c][2]);
            assert_int_equal(w % cfg[c][2], 0);
            assert_int_equal(h % cfg[c][2], 0);
            assert_int_equal(cfg[c][0] > cfg[c][1] ? w : h, scale.least + i * scale.step);
            /* to the closest multiple, and never nothing */
            assert_true(abs(w * cfg[c][1] - h * cfg[c][0]) <= cfg[c][2] / 2. * fmax(cfg[c][0], cfg[c][1]) ||
                        w == cfg[c][2] || h == cfg[c][2]);
        }
    }
}

static layer strided(LAYER_TYPE type, int stride)
{
    layer l;
    memset(&l, 0, sizeof l);
    l.type = type;
    l.stride = stride;
    return l;
}

static void the_stride_is_that_of_the_coarsest_layer(void **test)
{
    layer layers[8];
    int second[] = {1};
    network net;
    (void)test;
    memset(&net, 0, sizeof net);
    net.layers = layers;
    net.n = 8;
    layers[0] = strided(CONVOLUTIONAL, 3);
    layers[1] = strided(MAXPOOL, 2); /* 6 */
    layers[2] = strided(MAXPOOL, 1);
    layers[3] = strided(UPSAMPLE, 2); /* 3 */
    layers[4] = strided(ROUTE, 0);    /* 6 again, where it comes from */
    layers[4].input_layers = second;
    layers[5] = strided(REORG, 2); /* 12 */
    layers[6] = strided(REORG, 2); /* and back */
    layers[6].reverse = 1;
    layers[7] = strided(YOLO, 0);
    assert_int_equal(network_stride(&net), 12);
    layers[6].reverse = 0;
    assert_int_equal(network_stride(&net), 24);
    layers[4] = strided(SHORTCUT, 0); /* goes on from the layer before it, at 3 */
    assert_int_equal(network_stride(&net), 12);
    layers[3].reverse = 1; /* at 12 */
    assert_int_equal(network_stride(&net), 48);
}

/* ---- Divergence -------------------------------------------------------------------------------------------------- */

static void a_loss_that_is_no_number_or_infinite_ends_a_training_at_once(void **test)
{
    static const double losses[] = {NAN, -NAN, INFINITY, -INFINITY};
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(losses); ++i) {
        loss_watch fresh = {100, 0, 0}, later = {100, 0, 0};
        assert_int_equal(watch_loss(&fresh, losses[i]), LOSS_NOT_FINITE);
        assert_int_equal(watch_loss(&later, 5), LOSS_FINE);
        assert_int_equal(watch_loss(&later, losses[i]), LOSS_NOT_FINITE);
    }
}

/* As YOLO's are: of the size of the boxes at first, then next to nothing, with wild batches between. */
static void healthy_losses_never_end_a_training(void **test)
{
    loss_watch watch = {10647, 0, 0};
    uint64_t seed = 1;
    int i;
    (void)test;
    for (i = 0; i < 5000; ++i) {
        double loss = (2700. / (1 + .05 * i) + .5) * (.01 + 3 * noise(&seed));
        if (i % 50 == 49) loss *= 1000;
        assert_true(watch_loss(&watch, loss) != LOSS_EXPLODED);
    }
}

static void a_training_may_begin_with_a_loss_beyond_its_boxes(void **test)
{
    loss_watch watch = {10, 0, 0};
    int i;
    (void)test;
    for (i = 0; i < 100; ++i) assert_int_equal(watch_loss(&watch, 5000), LOSS_FINE);
}

static void a_loss_that_stays_beyond_the_limit_ends_a_training(void **test)
{
    loss_watch watch = {100, 0, 0};
    int i;
    (void)test;
    assert_int_equal(watch_loss(&watch, 3), LOSS_FINE);
    assert_int_equal(watch_loss(&watch, 1000), LOSS_FINE);
    for (i = 1; i < DIVERGENCE_ITERATIONS; ++i) assert_int_equal(watch_loss(&watch, 1001), LOSS_HIGH);
    assert_int_equal(watch_loss(&watch, 999), LOSS_FINE); /* one that is not starts the count again */
    for (i = 1; i < DIVERGENCE_ITERATIONS; ++i) assert_int_equal(watch_loss(&watch, 1e9), LOSS_HIGH);
    assert_int_equal(watch_loss(&watch, 1e9), LOSS_EXPLODED);
}

static void any_weight_that_is_not_finite_is_found(void **test)
{
    static const char *cfg = "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n"
                             "[convolutional]\nbatch_normalize=1\nfilters=5\nsize=3\nstride=1\npad=1\n"
                             "[local]\nfilters=2\nsize=1\nstride=1\nactivation=linear\n"
                             "[batchnorm]\n"
                             "[connected]\noutput=7\nactivation=linear\n"
                             "[softmax]\n";
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    char path[] = "/tmp/detector-training-XXXXXX";
    int fd = mkstemp(path), i;
    network *net;
    (void)test;
    assert_true(fd >= 0 && write(fd, cfg, strlen(cfg)) == (ssize_t)strlen(cfg) && !close(fd));
    net = load_network(path, 0, 0);
    unlink(path);
    assert_int_equal(first_layer_not_finite(net), -1);
    for (i = 0; i < 3; ++i) {
        layer *c = net->layers, *local = c + 1, *norm = c + 2, *full = c + 3;
        const struct {
            int layer;
            float *last;
        } places[] = {
            {0, c->weights + c->nweights - 1},
            {0, c->weights},
            {0, c->biases + 4},
            {0, c->scales + 4},
            {0, c->rolling_mean + 4},
            {0, c->rolling_variance + 4},
            {1, local->weights + 1 * 1 * 5 * 2 * 4 * 4 - 1},
            {1, local->biases + 2 * 4 * 4 - 1},
            {2, norm->scales + 1},
            {2, norm->rolling_variance + 1},
            {3, full->weights + 7 * 2 * 4 * 4 - 1},
            {3, full->biases + 6},
        };
        size_t k;
        for (k = 0; k < COUNT(places); ++k) {
            const float before = *places[k].last;
            *places[k].last = wrong[i];
            assert_int_equal(first_layer_not_finite(net), places[k].layer);
            *places[k].last = before;
            assert_int_equal(first_layer_not_finite(net), -1);
        }
    }
    free_network(net);
}

/* ---- The log ----------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/detector-training-XXXXXX", log_path[64];

static int make_folder(void **test)
{
    (void)test;
    if (!mkdtemp(folder)) return -1;
    snprintf(log_path, sizeof log_path, "%s/log.csv", folder);
    return 0;
}

static int remove_folder(void **test)
{
    (void)test;
    unlink(log_path);
    return rmdir(folder); /* fails where a temporary file was left */
}

static void write_text(const char *text)
{
    FILE *file = fopen(log_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_text(const char *expected)
{
    char text[2048] = {0};
    FILE *file = fopen(log_path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, expected);
}

#define HEADER "iteration,epoch,images,loss,avg loss,rate,mAP,best mAP\n"

static void a_log_is_read_as_it_was_written(void **test)
{
    static const training_row rows[] = {
        {5, .5, 40, 66.5, 70.25, .001, -1, -1},
        {10, 1, 80, 1e-7, 3e5, 0, 0, 0},
        {20, 2, 160, 2, 2.5, .01, .654321, .654321},
    };
    training_rows all = {(training_row *)rows, 3, 0, 0}, again;
    (void)test;
    unlink(log_path);
    assert_int_equal(training_rows_write(log_path, &all, 10), 0);
    assert_int_equal(training_row_append(log_path, rows + 2), 0);
    assert_text(HEADER "5,0.5000,40,66.5,70.25,0.001,,\n"
                       "10,1.0000,80,1e-07,300000,0,0.000000,0.000000\n"
                       "20,2.0000,160,2,2.5,0.01,0.654321,0.654321\n");
    assert_int_equal(training_rows_read(log_path, &again), 0);
    assert_int_equal(again.count, 3);
    assert_memory_equal(again.rows, rows, sizeof rows);
    assert_close(again.best, .654321, 0);
    assert_int_equal(again.best_at, 20);
    training_rows_free(&again);
}

static void a_log_that_is_gone_on_with_loses_the_rows_after_that_iteration(void **test)
{
    static const char *log = HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n"
                                    "150,1.5000,1200,3,3,0.1,,0.200000\n"
                                    "200,2.0000,1600,2,2,0.1,0.700000,0.700000\n";
    training_rows rows;
    (void)test;
    write_text(log);
    assert_int_equal(training_rows_read(log_path, &rows), 0);
    assert_text(log); /* reading alone changes nothing */
    assert_int_equal(training_rows_write(log_path, &rows, 199), 0);
    assert_text(HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n"
                       "150,1.5000,1200,3,3,0.1,,0.200000\n");
    /* and the best of all of them is still known */
    assert_close(rows.best, .7, 0);
    assert_int_equal(rows.best_at, 200);
    assert_int_equal(training_rows_write(log_path, &rows, 0), 0);
    assert_text(HEADER);
    training_rows_free(&rows);
}

static void the_best_is_known_by_later_rows_when_its_own_has_left(void **test)
{
    training_rows rows;
    (void)test;
    write_text(HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n"
                      "110,1.1000,880,3,3,0.1,,0.700000\n"
                      "200,2.0000,1600,2,2,0.1,,0.700000\n");
    assert_int_equal(training_rows_read(log_path, &rows), 0);
    assert_close(rows.best, .7, 0);
    assert_int_equal(rows.best_at, 0);
    training_rows_free(&rows);
}

static void lines_that_are_no_whole_row_are_left_out(void **test)
{
    training_rows rows;
    (void)test;
    write_text(HEADER "100,1.0000,800,4,4,0.1,,\n"
                      "\n"
                      "nonsense\n"
                      "110,1.1,880,3,3,0.1\n"
                      "-5,1.1,880,3,3,0.1,,\n"
                      "nan,1.1,880,3,3,0.1,,\n"
                      "120,1.2,960,3,3,0.1,,,\n"
                      "130,1.3000,1040,3,3,0.1,,\n"
                      "140,1.4000,1120,3,3,0.1,0.9,0."); /* cut off in the middle */
    assert_int_equal(training_rows_read(log_path, &rows), 0);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].iteration, 100);
    assert_int_equal(rows.rows[1].iteration, 130);
    assert_true(rows.best < 0);
    training_rows_free(&rows);
}

static void a_log_that_is_not_there_has_no_rows_and_a_folder_is_an_error(void **test)
{
    training_rows rows;
    training_row row = {1, 1, 1, 1, 1, 1, -1, -1};
    (void)test;
    unlink(log_path);
    assert_int_equal(training_rows_read(log_path, &rows), 0);
    assert_int_equal(rows.count, 0);
    assert_true(rows.best < 0);
    assert_int_equal(mkdir(log_path, 0777), 0);
    assert_int_equal(training_rows_read(log_path, &rows), -1);
    assert_int_equal(training_rows_write(log_path, &rows, 0), -1);
    assert_int_equal(training_row_append(log_path, &row), -1);
    assert_int_equal(rmdir(log_path), 0);
}

/* ---- Speed ------------------------------------------------------------------------------------------------------- */

static void a_smoothed_mean_follows_what_came_last(void **test)
{
    smoothed_mean mean = {.9, 0, 0};
    int i;
    (void)test;
    assert_close(smoothed_value(&mean), 0, 0);
    smoothed_add(&mean, 4);
    assert_close(smoothed_value(&mean), 4, 1e-12); /* from the first value on, not creeping up from 0 */
    smoothed_add(&mean, 8);
    assert_close(smoothed_value(&mean), (.9 * 4 + 8) / 1.9, 1e-12);
    for (i = 0; i < 500; ++i) smoothed_add(&mean, 2);
    assert_close(smoothed_value(&mean), 2, 1e-9);
}

static void a_duration_is_hours_minutes_and_seconds(void **test)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {0, "0:00:00"},        {59.4, "0:00:59"}, {59.5, "0:01:00"}, {3599.9, "1:00:00"},   {3661, "1:01:01"},
        {360000, "100:00:00"}, {-5, "0:00:00"},   {NAN, "0:00:00"},  {INFINITY, "0:00:00"},
    };
    char text[32];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i) {
        format_duration(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* ---- Children ---------------------------------------------------------------------------------------------------- */

static void mean_average_precision_is_read_off_its_line_alone(void **test)
{
    static const char *others[] = {
        "",
        "class_id = 0, name = dog, ap = 50.00%",
        " mean average precision (mAP@0.50) = ",
        " mean average precision (mAP@0.50) = nan, or nan %",
        " mean average precision (mAP@0.50) = 1.5, or 150 %",
        " mean average precision (mAP@0.75) = 0.5, or 50.00 %",
        "the mean average precision (mAP@0.50) = 0.5",
    };
    double map = -1;
    size_t i;
    (void)test;
    assert_int_equal(validation_read_map(" mean average precision (mAP@0.50) = 0.123456, or 12.35 % ", &map), 1);
    assert_close(map, .123456, 0);
    for (i = 0; i < COUNT(others); ++i) assert_int_equal(validation_read_map(others[i], &map), 0);
}

typedef struct {
    char text[20000];
    size_t lines, longest;
} heard;

static void hear(void *context, char *line)
{
    heard *h = (heard *)context;
    size_t length = strlen(line);
    if (length > h->longest) h->longest = length;
    if (length < 100) strcat(strcat(h->text, line), "|");
    ++h->lines;
}

static int shell(const char *script, heard *h)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, 0};
    memset(h, 0, sizeof *h);
    return child_run("sh", argv, -1, hear, h);
}

static void a_child_is_heard_line_by_line_to_its_end(void **test)
{
    static heard h;
    int ends[2], own = dup(0);
    (void)test;
    assert_int_equal(shell("echo one; echo two >&2; printf 'three\\rfour\\n\\nfive'", &h), 0);
    assert_string_equal(h.text, "one|two|three|four|five|");
    assert_true(!pipe(ends) && write(ends[1], "mine\n", 5) == 5 && !close(ends[1]) && dup2(ends[0], 0) == 0);
    assert_int_equal(shell("cat; exit 3", &h), 3); /* its stdin is empty, whatever ours is */
    assert_string_equal(h.text, "");
    assert_true(dup2(own, 0) == 0 && !close(own) && !close(ends[0]));
    assert_int_equal(shell("kill -9 $$", &h), 128 + 9);
    assert_int_equal(shell("head -c 10000 /dev/zero | tr '\\0' x; echo; echo end", &h), 0);
    assert_string_equal(h.text, "end|");
    assert_int_equal(h.lines, 4);
    assert_true(h.longest <= 4096);
}

static void a_child_that_cannot_be_started_is_an_error(void **test)
{
    char *argv[] = {(char *)"no-such-program", 0};
    (void)test;
    errno = 0;
    assert_int_equal(child_run("/no/such/program", argv, -1, 0, 0), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(child_run("no-such-program-anywhere", argv, -1, 0, 0), -1);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sizes_from_416_on_are_those_that_darknet_draws),
        cmocka_unit_test(the_last_size_from_416_on_is_608),
        cmocka_unit_test(a_smaller_cfg_has_sizes_around_its_own),
        cmocka_unit_test(a_smaller_cfg_ends_at_its_own_size),
        cmocka_unit_test(width_and_height_keep_their_proportion),
        cmocka_unit_test(the_stride_is_that_of_the_coarsest_layer),
        cmocka_unit_test(a_loss_that_is_no_number_or_infinite_ends_a_training_at_once),
        cmocka_unit_test(healthy_losses_never_end_a_training),
        cmocka_unit_test(a_training_may_begin_with_a_loss_beyond_its_boxes),
        cmocka_unit_test(a_loss_that_stays_beyond_the_limit_ends_a_training),
        cmocka_unit_test(any_weight_that_is_not_finite_is_found),
        cmocka_unit_test(a_log_is_read_as_it_was_written),
        cmocka_unit_test(a_log_that_is_gone_on_with_loses_the_rows_after_that_iteration),
        cmocka_unit_test(the_best_is_known_by_later_rows_when_its_own_has_left),
        cmocka_unit_test(lines_that_are_no_whole_row_are_left_out),
        cmocka_unit_test(a_log_that_is_not_there_has_no_rows_and_a_folder_is_an_error),
        cmocka_unit_test(a_smoothed_mean_follows_what_came_last),
        cmocka_unit_test(a_duration_is_hours_minutes_and_seconds),
        cmocka_unit_test(mean_average_precision_is_read_off_its_line_alone),
        cmocka_unit_test(a_child_is_heard_line_by_line_to_its_end),
        cmocka_unit_test(a_child_that_cannot_be_started_is_an_error),
    };
    gpu_index = -1; /* what a GPU does is compared with this elsewhere */
    return cmocka_run_group_tests_name("detector_training", tests, make_folder, remove_folder) != 0;
}
