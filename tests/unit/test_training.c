/* Tests of what both trainers use (src/train/training.h): sizes of random=1, detecting divergence, the log of a resumed
 * training, speed, and the output of a child process. */
#include "helpers/leaks_of_darknet.h"
#include "helpers/test_helpers.h"

#include "base/child_process.h"
#include "base/progress.h"
#include "eval/detect.h"
#include "network.h"
#include "parser.h"
#include "train/divergence.h"
#include "train/layer_weights.h"
#include "train/multi_scale.h"
#include "train/trailer.h"
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
    /* Darknet's own formula */
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
    assert_int_equal(rand(), w); /* it has drawn a random number all the same */
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
            assert_int_equal(cfg[c][0] > cfg[c][1] ? w : h, scale.min_side + i * scale.step);
            /* to the nearest multiple, and never 0 */
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
    layers[4] = strided(ROUTE, 0);    /* 6 again: the stride of its source */
    layers[4].input_layers = second;
    layers[5] = strided(REORG, 2); /* 12 */
    layers[6] = strided(REORG, 2); /* back to 6 */
    layers[6].reverse = 1;
    layers[7] = strided(YOLO, 0);
    assert_int_equal(network_stride(&net), 12);
    layers[6].reverse = 0;
    assert_int_equal(network_stride(&net), 24);
    layers[4] = strided(SHORTCUT, 0); /* has the stride of the layer before it, 3 */
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

/* As in YOLO: at first near the number of boxes, then small, with single high batches in between. */
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
    assert_int_equal(watch_loss(&watch, 999), LOSS_FINE); /* a lower one starts the count again */
    for (i = 1; i < DIVERGENCE_ITERATIONS; ++i) assert_int_equal(watch_loss(&watch, 1e9), LOSS_HIGH);
    assert_int_equal(watch_loss(&watch, 1e9), LOSS_EXPLODED);
}

/* One layer of each type with weights, and a [softmax]. */
static network *network_of_all_weights(void)
{
    static const char *cfg = "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n"
                             "[convolutional]\nbatch_normalize=1\nfilters=5\nsize=3\nstride=1\npad=1\n"
                             "[local]\nfilters=2\nsize=1\nstride=1\nactivation=linear\n"
                             "[batchnorm]\n"
                             "[deconvolutional]\nbatch_normalize=1\nfilters=3\nsize=2\nstride=2\n"
                             "[crnn]\nbatch_normalize=1\nhidden_filters=4\noutput_filters=2\n"
                             "[connected]\noutput=7\nactivation=linear\n"
                             "[rnn]\noutput=5\n"
                             "[gru]\nbatch_normalize=1\noutput=6\n"
                             "[lstm]\nbatch_normalize=1\noutput=4\n"
                             "[softmax]\n";
    char path[] = "/tmp/training-XXXXXX";
    int fd = mkstemp(path);
    network *net;
    assert_true(fd >= 0 && write(fd, cfg, strlen(cfg)) == (ssize_t)strlen(cfg) && !close(fd));
    net = load_network(path, 0, 0);
    unlink(path);
    return net;
}

static void the_arrays_of_a_layer_are_all_that_darknet_writes_of_it(void **test)
{
    enum { HEADER_BYTES = 20 };
    static float numbers[5000];
    const float mark = 2.5f; /* not an initial value of any layer */
    network *net = network_of_all_weights();
    char path[] = "/tmp/training-XXXXXX";
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int fd = mkstemp(path), i, k;
    (void)test;
    assert_true(fd >= 0 && !close(fd));
    for (i = 0; i < net->n; ++i) {
        const int n = layer_weight_arrays(net->layers + i, arrays);
        size_t sum = 0, written, at;
        FILE *file;
        assert_true(n <= MAX_WEIGHT_ARRAYS);
        assert_int_equal(n > 0, i + 1 < net->n); /* all but [softmax] have weights */
        for (k = 0; k < n; ++k) {
            sum += arrays[k].count;
            for (at = 0; at < arrays[k].count; ++at) ((float *)arrays[k].values)[at] = mark;
        }
        for (k = 0; k < net->n; ++k) net->layers[k].dontsave = k != i;
        save_weights(net, path);
        file = fopen(path, "rb");
        assert_true(file && !fseek(file, HEADER_BYTES, SEEK_SET));
        written = fread(numbers, sizeof *numbers, COUNT(numbers), file);
        fclose(file);
        written -= TRAILER_BYTES / sizeof *numbers;
        if (written != sum) fail_msg("layer %d: %zu numbers, but %zu in the file", i, sum, written);
        for (at = 0; at < written; ++at)
            if (numbers[at] != mark) fail_msg("layer %d: number %zu of the file is in no array", i, at);
    }
    unlink(path);
    free_network(net);
}

static void any_weight_that_is_not_finite_is_found(void **test)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    network *net = network_of_all_weights();
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int w, i, k, end;
    (void)test;
    assert_int_equal(first_layer_not_finite(net), -1);
    for (i = 0; i < net->n; ++i) {
        for (k = layer_weight_arrays(net->layers + i, arrays); k-- > 0;) {
            for (end = 0; end < 2; ++end) {
                float *place = (float *)arrays[k].values + (end ? arrays[k].count - 1 : 0);
                const float before = *place;
                for (w = 0; w < 3; ++w) {
                    *place = wrong[w];
                    assert_int_equal(first_layer_not_finite(net), i);
                }
                *place = before;
            }
        }
    }
    assert_int_equal(first_layer_not_finite(net), -1);
    free_network(net);
}

/* ---- The log ----------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/training-XXXXXX", log_path[64];

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
    return rmdir(folder); /* fails if a temporary file is left */
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

/* Formats with the measures of the tests; made anew by each test, because reading a log may add to them. */
static log_format map_format(void)
{
    log_format format = {0};
    format.judged = log_format_add(&format, "mAP", DRAWN_IN_PERCENT, "#d94801");
    return format;
}

static log_format three_format(void)
{
    log_format format = {0};
    log_format_add(&format, "training top-1", DRAWN_IN_PERCENT, "#fdae6b");
    format.judged = log_format_add(&format, "top-1", DRAWN_IN_PERCENT, "#d94801");
    log_format_add(&format, "ECE", DRAWN_NOWHERE, 0);
    return format;
}

static void assert_row(const training_row *a, const training_row *b, size_t measures)
{
    assert_int_equal(a->iteration, b->iteration);
    assert_int_equal(a->images, b->images);
    assert_close(a->epoch, b->epoch, 0);
    assert_close(a->loss, b->loss, 0);
    assert_close(a->average_loss, b->average_loss, 0);
    assert_close(a->rate, b->rate, 0);
    assert_memory_equal(a->measures, b->measures, measures * sizeof *a->measures);
    assert_close(a->best, b->best, 0);
}

#define HEADER "iteration,epoch,images,loss,avg loss,rate,mAP,best mAP\n"

static void a_log_is_read_as_it_was_written(void **test)
{
    double measures[] = {-1, 0, .654321};
    training_row rows[] = {
        {5, .5, 40, 66.5, 70.25, .001, measures, -1},
        {10, 1, 80, 1e-7, 3e5, 0, measures + 1, 0},
        {20, 2, 160, 2, 2.5, .01, measures + 2, .654321},
    };
    training_rows all = {rows, 3, 3, 0, 0, 0}, again;
    log_format format = map_format();
    int i;
    (void)test;
    unlink(log_path);
    assert_int_equal(training_rows_write(log_path, &format, &all, 10), 0);
    assert_int_equal(training_row_append(log_path, &format, rows + 2), 0);
    assert_text(HEADER "5,0.5000,40,66.5,70.25,0.001,,\n"
                       "10,1.0000,80,1e-07,300000,0,0.000000,0.000000\n"
                       "20,2.0000,160,2,2.5,0.01,0.654321,0.654321\n");
    assert_int_equal(training_rows_read(log_path, &format, &again), 0);
    assert_int_equal(again.count, 3);
    assert_int_equal(format.count, 1);
    for (i = 0; i < 3; ++i) assert_row(again.rows + i, rows + i, 1);
    assert_close(again.best, .654321, 0);
    assert_int_equal(again.best_iteration, 20);
    training_rows_free(&again);
    log_format_free(&format);
}

static void a_log_has_a_column_for_every_measure_and_its_best_is_of_the_judged_one(void **test)
{
    double measures[][3] = {{.25, -1, -1}, {.75, .5, .0625}, {.875, -1, -1}, {-1, .25, .9375}};
    training_row rows[] = {
        {5, .5, 40, 2, 2, .1, measures[0], -1},
        {10, 1, 80, 2, 2, .1, measures[1], .5},
        {15, 1.5, 120, 2, 2, .1, measures[2], .5},
        {20, 2, 160, 2, 2, .1, measures[3], .5},
    };
    training_rows all = {rows, 4, 4, 0, 0, 0}, again;
    log_format format = three_format(), other = map_format();
    int i;
    (void)test;
    unlink(log_path);
    assert_int_equal(training_rows_write(log_path, &format, &all, 20), 0);
    assert_text("iteration,epoch,images,loss,avg loss,rate,training top-1,top-1,ECE,best top-1\n"
                "5,0.5000,40,2,2,0.1,0.250000,,,\n"
                "10,1.0000,80,2,2,0.1,0.750000,0.500000,0.062500,0.500000\n"
                "15,1.5000,120,2,2,0.1,0.875000,,,0.500000\n"
                "20,2.0000,160,2,2,0.1,,0.250000,0.937500,0.500000\n");
    assert_int_equal(training_rows_read(log_path, &format, &again), 0);
    assert_int_equal(again.count, 4);
    for (i = 0; i < 4; ++i) assert_row(again.rows + i, rows + i, 3);
    assert_close(again.best, .5, 0);
    assert_int_equal(again.best_iteration, 10);
    training_rows_free(&again);
    /* a detector's log is judged by another measure, so that this is none */
    assert_int_equal(training_rows_read(log_path, &other, &again), 0);
    assert_true(again.is_foreign && again.count == 0);
    training_rows_free(&again);
    log_format_free(&format);
    log_format_free(&other);
}

/* Reads `before` with the format, and writes it again. */
static void assert_rewritten(log_format *format, const char *before, const char *after)
{
    training_rows rows;
    write_text(before);
    assert_int_equal(training_rows_read(log_path, format, &rows), 0);
    assert_int_equal(training_rows_write(log_path, format, &rows, (size_t)-1), 0);
    assert_text(after);
    training_rows_free(&rows);
    log_format_free(format);
}

static void the_log_of_an_earlier_version_has_empty_columns_for_what_it_did_not_measure(void **test)
{
    log_format format = map_format();
    (void)test;
    log_format_add(&format, "validation loss", DRAWN_AS_LOSS, "#238b45");
    log_format_add(&format, "AP red", DRAWN_NOWHERE, 0);
    assert_rewritten(&format, HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n",
                     "iteration,epoch,images,loss,avg loss,rate,mAP,validation loss,AP red,best mAP\n"
                     "100,1.0000,800,4,4,0.1,0.200000,,,0.200000\n");
}

static void columns_that_this_run_does_not_measure_stay_behind_its_own(void **test)
{
    log_format format = map_format();
    (void)test;
    log_format_add(&format, "AP red", DRAWN_NOWHERE, 0);
    assert_rewritten(&format,
                     "iteration,epoch,images,loss,avg loss,rate,AP blue,mAP,\"AP a, \"\"b\"\"\",best mAP\n"
                     "100,1.0000,800,4,4,0.1,0.300000,0.200000,,0.200000\n"
                     "110,1.1000,880,4,4,0.1,,0.100000,0.400000,0.200000\n",
                     "iteration,epoch,images,loss,avg loss,rate,mAP,AP red,AP blue,\"AP a, \"\"b\"\"\",best mAP\n"
                     "100,1.0000,800,4,4,0.1,0.200000,,0.300000,,0.200000\n"
                     "110,1.1000,880,4,4,0.1,0.100000,,,0.400000,0.200000\n");
}

static void two_columns_of_one_name_stay_two(void **test)
{
    static const char *log = "iteration,epoch,images,loss,avg loss,rate,mAP,AP x,AP x,best mAP\n"
                             "100,1.0000,800,4,4,0.1,,0.250000,0.750000,\n";
    log_format format = map_format();
    (void)test;
    log_format_add(&format, "AP x", DRAWN_NOWHERE, 0);
    log_format_add(&format, "AP x", DRAWN_NOWHERE, 0);
    assert_rewritten(&format, log, log);
}

static void a_file_that_is_no_log_is_said_to_be_none(void **test)
{
    static const char *const files[] = {
        "one,two\n",
        "iteration,epoch,images,loss,avg loss,rate\n",
        "iteration,epoch,images,loss,avg loss,rate,mAP\n",
        "iteration,epoch,images,loss,avg loss,rate,mAP,best top-1\n",
        "iteration,epoch,images,loss,avg loss,rate,top-1,ECE,best top-1\n",
        "iteration,epoch,images,loss,avg,rate,mAP,best mAP\n",
        "\n",
    };
    training_rows rows;
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(files); ++i) {
        log_format format = map_format();
        write_text(files[i]);
        assert_int_equal(training_rows_read(log_path, &format, &rows), 0);
        if (!rows.is_foreign || rows.count) fail_msg("taken: %s", files[i]);
        assert_int_equal(format.count, 1); /* none of its columns are taken over */
        training_rows_free(&rows);
        log_format_free(&format);
    }
}

static void a_log_that_is_gone_on_with_loses_the_rows_after_that_iteration(void **test)
{
    static const char *log = HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n"
                                    "150,1.5000,1200,3,3,0.1,,0.200000\n"
                                    "200,2.0000,1600,2,2,0.1,0.700000,0.700000\n";
    training_rows rows;
    log_format format = map_format();
    (void)test;
    write_text(log);
    assert_int_equal(training_rows_read(log_path, &format, &rows), 0);
    assert_text(log); /* reading does not change the file */
    assert_int_equal(training_rows_write(log_path, &format, &rows, 199), 0);
    assert_text(HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n"
                       "150,1.5000,1200,3,3,0.1,,0.200000\n");
    /* the best mAP of the rows is still known */
    assert_close(rows.best, .7, 0);
    assert_int_equal(rows.best_iteration, 200);
    assert_int_equal(training_rows_write(log_path, &format, &rows, 0), 0);
    assert_text(HEADER);
    training_rows_free(&rows);
    log_format_free(&format);
}

static void the_best_is_known_by_later_rows_when_its_own_has_left(void **test)
{
    training_rows rows;
    log_format format = map_format();
    (void)test;
    write_text(HEADER "100,1.0000,800,4,4,0.1,0.200000,0.200000\n"
                      "110,1.1000,880,3,3,0.1,,0.700000\n"
                      "200,2.0000,1600,2,2,0.1,,0.700000\n");
    assert_int_equal(training_rows_read(log_path, &format, &rows), 0);
    assert_close(rows.best, .7, 0);
    assert_int_equal(rows.best_iteration, 0);
    training_rows_free(&rows);
    log_format_free(&format);
}

static void lines_that_are_no_whole_row_are_left_out(void **test)
{
    training_rows rows;
    log_format format = map_format();
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
    assert_int_equal(training_rows_read(log_path, &format, &rows), 0);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].iteration, 100);
    assert_int_equal(rows.rows[1].iteration, 130);
    assert_true(rows.best < 0);
    training_rows_free(&rows);
    log_format_free(&format);
}

static void a_log_that_is_not_there_has_no_rows_and_a_folder_is_an_error(void **test)
{
    training_rows rows;
    double measure = -1;
    training_row row = {1, 1, 1, 1, 1, 1, &measure, -1};
    log_format format = map_format();
    (void)test;
    unlink(log_path);
    assert_int_equal(training_rows_read(log_path, &format, &rows), 0);
    assert_int_equal(rows.count, 0);
    assert_true(rows.best < 0);
    assert_int_equal(mkdir(log_path, 0777), 0);
    assert_int_equal(training_rows_read(log_path, &format, &rows), -1);
    assert_int_equal(training_rows_write(log_path, &format, &rows, 0), -1);
    assert_int_equal(training_row_append(log_path, &format, &row), -1);
    assert_int_equal(rmdir(log_path), 0);
    log_format_free(&format);
}

/* ---- Speed ------------------------------------------------------------------------------------------------------- */

static void a_smoothed_mean_follows_what_came_last(void **test)
{
    smoothed_mean mean = {.9, 0, 0};
    int i;
    (void)test;
    assert_close(smoothed_value(&mean), 0, 0);
    smoothed_add(&mean, 4);
    assert_close(smoothed_value(&mean), 4, 1e-12); /* starts at the first value, not at 0 */
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

/* ---- Evaluation in a child --------------------------------------------------------------------------------------- */

static int detector_in(const char *json, detector_scores *scores, char *why, size_t size)
{
    static double ap[2];
    int failed;
    *scores = (detector_scores){.map = 9, .loss = 9, .ap = ap, .classes = 2};
    ap[0] = ap[1] = 9;
    write_text(json);
    why[0] = 0;
    failed = validation_read_detector(log_path, scores, why, size);
    assert_true((failed != 0) == (why[0] != 0));
    return failed;
}

#define CLASSES "\"classes\": [{\"id\": 0, \"ap\": 0.25, \"curve\": [1, 0]}, {\"name\": \"ap\", \"ap\": null}]"

static void map_ap_and_loss_of_a_detector_are_read_from_the_json(void **test)
{
    detector_scores scores;
    char why[600];
    (void)test;
    assert_int_equal(
        detector_in("{\"map\": 0.123456789, \"objects\": 7, \"loss\": 2.5, " CLASSES "}", &scores, why, sizeof why), 0);
    assert_close(scores.map, .123456789, 0);
    assert_close(scores.loss, 2.5, 0);
    assert_close(scores.ap[0], .25, 0);
    assert_close(scores.ap[1], -1, 0);
    assert_int_equal(detector_in("{\n \"coco\": {\"map\": 0.5, \"ap\": null},\n \"objects\": 7,\n" CLASSES
                                 ", \"map\": 0\n}\n",
                                 &scores, why, sizeof why),
                     0);
    assert_close(scores.map, 0, 0);
    assert_close(scores.loss, -1, 0);
    assert_int_equal(detector_in("{\"loss\": null, \"map\": 1, " CLASSES "}", &scores, why, sizeof why), 0);
    assert_close(scores.map, 1, 0);
    assert_close(scores.loss, -1, 0);
}

static void the_best_thresholds_of_a_detector_are_read_from_the_json(void **test)
{
    static const char json[] =
        "{\"map\": 0.5, \"best_f1\": {\"threshold\": 0.21, \"f1\": 0.6, \"precision\": 0.7, \"recall\": 0.5},\n"
        " \"classes\": [{\"best_f1\": null, \"ap\": null}, {\"ap\": 1, \"best_f1\": {\"f1\": 0.9, \"other\": [], "
        "\"threshold\": 0.3}}]}";
    best_threshold best[2] = {{9, 9, 9, 9}, {9, 9, 9, 9}};
    double ap[2];
    detector_scores scores = {.ap = ap, .classes = 2, .best_of = best};
    char why[600];
    (void)test;
    write_text(json);
    assert_int_equal(validation_read_detector(log_path, &scores, why, sizeof why), 0);
    assert_close(scores.best.threshold, .21, 0);
    assert_close(scores.best.f1, .6, 0);
    assert_close(scores.best.precision, .7, 0);
    assert_close(scores.best.recall, .5, 0);
    assert_close(best[0].threshold, 0, 0);
    assert_close(best[0].f1, 0, 0);
    assert_close(best[1].threshold, .3, 0);
    assert_close(best[1].f1, .9, 0);
    assert_close(ap[1], 1, 0);
}

static void where_there_is_no_map_the_reason_is_given(void **test)
{
    static const struct {
        const char *json, *reason;
    } cases[] = {
        {"{\"map\": null, " CLASSES "}", "where a number should be"},
        {"{\"objects\": 3, " CLASSES "}", "there is no \"map\""},
        {"{\"map\": 1.5, " CLASSES "}", "there is no \"map\" from 0 to 1"},
        {"{\"map\": -1, " CLASSES "}", "there is no \"map\" from 0 to 1"},
        {"{\"map\": 0.5}", "there are no \"classes\""},
        {"{\"map\": 0.5, \"classes\": [{\"ap\": 1}]}", "there are 1 classes, not 2"},
        {"{\"map\": 0.5, \"classes\": [{\"ap\": 1}, {}, {}]}", "there are 3 classes, not 2"},
        {"{\"map\": 0.5, \"loss\": \"low\", " CLASSES "}", "where a number should be"},
        {"{\"map\": 0.5", "the file ends"},
        {"{\"map\": 0.5, " CLASSES "} {}", "the end of the file should be"},
        {"", "the file ends"},
    };
    detector_scores scores;
    char why[600], shortest[8];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i) {
        assert_true(detector_in(cases[i].json, &scores, why, sizeof why) != 0);
        if (!strstr(why, cases[i].reason)) fail_msg("%s: %s", cases[i].json, why);
    }
    assert_true(detector_in("", &scores, shortest, sizeof shortest) != 0);
    assert_int_equal(strlen(shortest), sizeof shortest - 1);
    unlink(log_path);
    assert_true(validation_read_detector(log_path, &scores, why, sizeof why) != 0);
    assert_non_null(strstr(why, "No such file"));
}

static int scores_in(const char *json, classifier_scores *scores, char *why, size_t size)
{
    int failed;
    write_text(json);
    why[0] = 0;
    failed = validation_read_scores(log_path, scores, why, size);
    assert_true((failed != 0) == (why[0] != 0));
    return failed;
}

static void a_classifiers_scores_are_those_of_the_first_model(void **test)
{
    static const char *json =
        "{\"top\": 5, \"top1\": 1, \"models\": [\n"
        "{\"weights\": \"a\", \"top1\": 0.25, \"top_k\": 0.75, \"nll\": 1.5, \"brier\": 1, \"ece\": 0.125,\n"
        " \"temperature\": {\"nll\": 9, \"ece\": 0}, \"classes\": [{\"top1\": 0}]},\n"
        "{\"top1\": 0, \"top_k\": 0, \"nll\": 0, \"ece\": 0}], \"nll\": 3}";
    classifier_scores scores;
    char why[600];
    (void)test;
    assert_int_equal(scores_in(json, &scores, why, sizeof why), 0);
    assert_close(scores.top1, .25, 0);
    assert_close(scores.top_k, .75, 0);
    assert_close(scores.nll, 1.5, 0);
    assert_close(scores.ece, .125, 0);
}

static int noise_in(const char *json, noise_errors *errors, char *why, size_t size)
{
    int failed;
    write_text(json);
    why[0] = 0;
    failed = validation_read_noise(log_path, errors, why, size);
    assert_true((failed != 0) == (why[0] != 0));
    return failed;
}

static void the_errors_on_changed_labels_are_what_was_not_predicted(void **test)
{
    static const char *const wrong[] = {
        "{\"models\": [{\"top1\": 0.25}]}",
        "{\"models\": [{\"noise\": {\"images\": 8, \"as_true\": 2}}]}",
        "{\"models\": [{\"noise\": {\"images\": 0, \"as_true\": 0, \"as_given\": 0}}]}",
        "{\"models\": [{\"noise\": {\"images\": 2, \"as_true\": 3, \"as_given\": 0}}]}",
        "{\"noise\": {\"images\": 8, \"as_true\": 2, \"as_given\": 4}}",
    };
    noise_errors errors;
    char why[600];
    size_t i;
    (void)test;
    assert_int_equal(noise_in("{\"models\": [{\"top1\": 0.25, \"noise\": {\"images\": 8, \"as_true\": 2, "
                              "\"as_given\": 1}, \"ece\": 0}, {\"noise\": {\"images\": 1}}]}",
                              &errors, why, sizeof why),
                     0);
    assert_close(errors.clean, .75, 0);
    assert_close(errors.given, .875, 0);
    for (i = 0; i < COUNT(wrong); ++i)
        if (!noise_in(wrong[i], &errors, why, sizeof why)) fail_msg("taken: %s", wrong[i]);
}

static void where_scores_are_missing_or_out_of_range_the_reason_is_given(void **test)
{
    static const char *const wrong[] = {
        "{\"models\": []}",
        "{\"models\": [{\"top1\": 0.25, \"top_k\": 0.75, \"nll\": 1.5}]}",
        "{\"models\": [{\"top1\": 1.25, \"top_k\": 0.75, \"nll\": 1.5, \"ece\": 0}]}",
        "{\"models\": [{\"top1\": 0.25, \"top_k\": 0.75, \"nll\": -1, \"ece\": 0}]}",
        "{\"top1\": 0.25, \"top_k\": 0.75, \"nll\": 1, \"ece\": 0}",
        "{\"models\": [{\"top1\": 0.25, \"top_k\": 0.75, \"nll\": null, \"ece\": 0}]}",
        "{\"models\": [{\"top1\": 0.25, \"top_k\": 0.75, \"nll\": 1, \"ece\": 0}]",
    };
    classifier_scores scores;
    char why[600];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(wrong); ++i)
        if (!scores_in(wrong[i], &scores, why, sizeof why)) fail_msg("taken: %s", wrong[i]);
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
    assert_int_equal(shell("cat; exit 3", &h), 3); /* stdin of the child is empty */
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
        cmocka_unit_test(the_arrays_of_a_layer_are_all_that_darknet_writes_of_it),
        cmocka_unit_test(any_weight_that_is_not_finite_is_found),
        cmocka_unit_test(a_log_is_read_as_it_was_written),
        cmocka_unit_test(a_log_has_a_column_for_every_measure_and_its_best_is_of_the_judged_one),
        cmocka_unit_test(the_log_of_an_earlier_version_has_empty_columns_for_what_it_did_not_measure),
        cmocka_unit_test(columns_that_this_run_does_not_measure_stay_behind_its_own),
        cmocka_unit_test(two_columns_of_one_name_stay_two),
        cmocka_unit_test(a_file_that_is_no_log_is_said_to_be_none),
        cmocka_unit_test(a_log_that_is_gone_on_with_loses_the_rows_after_that_iteration),
        cmocka_unit_test(the_best_is_known_by_later_rows_when_its_own_has_left),
        cmocka_unit_test(lines_that_are_no_whole_row_are_left_out),
        cmocka_unit_test(a_log_that_is_not_there_has_no_rows_and_a_folder_is_an_error),
        cmocka_unit_test(a_smoothed_mean_follows_what_came_last),
        cmocka_unit_test(a_duration_is_hours_minutes_and_seconds),
        cmocka_unit_test(map_ap_and_loss_of_a_detector_are_read_from_the_json),
        cmocka_unit_test(the_best_thresholds_of_a_detector_are_read_from_the_json),
        cmocka_unit_test(where_there_is_no_map_the_reason_is_given),
        cmocka_unit_test(a_classifiers_scores_are_those_of_the_first_model),
        cmocka_unit_test(the_errors_on_changed_labels_are_what_was_not_predicted),
        cmocka_unit_test(where_scores_are_missing_or_out_of_range_the_reason_is_given),
        cmocka_unit_test(a_child_is_heard_line_by_line_to_its_end),
        cmocka_unit_test(a_child_that_cannot_be_started_is_an_error),
    };
    gpu_index = -1; /* other tests compare the GPU with the CPU */
    return cmocka_run_group_tests_name("training", tests, make_folder, remove_folder) != 0;
}
