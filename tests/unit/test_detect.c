/* Tests of src/eval/detect.h, with networks of a few hundred weights and images of a few hundred pixels. The images
 * have the size of the network's input and so are not resized; therefore most comparisons are exact. */
#include "eval/detect.h"

#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include <darknet.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int make_folder(void **state)
{
    (void)state;
    return make_folder_for("test_detect");
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"net.cfg", "a.ppm", "b.ppm", "c.ppm"};
    (void)state;
    return remove_folder_with(names, COUNT(names));
}

/* The last line printed is one of our error messages and contains `text`. */
static void assert_complaint(const char *text)
{
    const char *line = strstr(said(), "darknet: "), *end = line ? strchr(line, '\n') : 0;
    if (!line || !end || end[1] || !strstr(line, text)) fail_msg("wanted one line with: %s\ngot: %s", text, said());
}

/* ---- Networks ---------------------------------------------------------------------------------------------------- */

#define NET(w, h) "[net]\nbatch=4\nwidth=" #w "\nheight=" #h "\nchannels=3\n"
#define CONVOLUTION(more) "[convolutional]\nbatch_normalize=1\nsize=3\npad=1\nactivation=leaky\nfilters=12\n" more
#define YOLO(mask)                                                                                                     \
    "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n[yolo]\nnum=4\nanchors=6,4, 7,12, 9,9, "                  \
    "20,14\nclasses=3\n"                                                                                               \
    "mask=" mask "\n"
#define BODY CONVOLUTION("stride=2\n") CONVOLUTION("stride=2\n") CONVOLUTION("") "[shortcut]\nfrom=-2\n"
#define SQUEEZED                                                                                                       \
    BODY "[avgpool]\n[convolutional]\nfilters=12\nsize=1\nactivation=logistic\n[scale_channels]\nfrom=-3\n" YOLO("0,"  \
                                                                                                                 "1")
/* Two heads, with strides 8 and 4. */
#define DETECTOR                                                                                                       \
    BODY CONVOLUTION("stride=2\n")                                                                                     \
        YOLO("2,3") "[route]\nlayers=-3\n[upsample]\nstride=2\n[route]\nlayers=-1,3\n" YOLO("0,1")

static network *load(const char *text, int *classes)
{
    FILE *file = fopen(in_folder("net.cfg"), "w");
    network *net;
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    hush();
    net = load_detector(in_folder("net.cfg"), 0, classes);
    unhush();
    return net;
}

/* Creates the network of a cfg. The same layers get the same weights, whatever the input size. */
static network *detector(const char *text)
{
    int classes = 0, i, k;
    uint64_t seed = 7;
    network *net = load(text, &classes);
    assert_non_null(net);
    assert_int_equal(classes, 3);
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        if (l.type != CONVOLUTIONAL) continue;
        for (k = 0; k < l.nweights; ++k) l.weights[k] = (float)((noise(&seed) - .5) * 4 / sqrt(l.nweights / l.n));
        for (k = 0; k < l.n; ++k) l.biases[k] = (float)(noise(&seed) - .5);
        for (k = 0; k < l.n && l.batch_normalize; ++k) l.rolling_mean[k] = 0, l.rolling_variance[k] = 1;
    }
    return net;
}

/* A network with a constant output: in every cell of a 2 x 2 grid (at 32 x 32) class 0, in the middle of the cell. */
#define CONSTANT(filters, head)                                                                                        \
    "[maxpool]\nsize=16\nstride=16\n[convolutional]\nfilters=" #filters "\nsize=1\nactivation=linear\n" head
static const char *constant_yolo = NET(32, 32) CONSTANT(8, "[yolo]\nnum=1\nanchors=8,16\nclasses=3\n");
static const char *constant_region =
    NET(32, 32) CONSTANT(8, "[region]\nnum=1\nanchors=.5,1\nclasses=3\nsoftmax=1\ncoords=4\n");
static const char *constant_detection =
    NET(32, 32) "[connected]\noutput=32\nactivation=linear\n[detection]\nside=2\nnum=1\nclasses=3\ncoords=4\nsqrt=0\n";

static network *constant(const char *text)
{
    static const float yolo[] = {0, 0, 0, 0, 10, 10, -20, -20};
    static const float of_cell[] = {.9f, 0, 0}, box[] = {.5f, .5f, .25f, .5f};
    int classes = 0, i;
    network *net = load(text, &classes);
    layer l;
    assert_non_null(net);
    l = net->layers[net->n - 2];
    if (l.type == CONVOLUTIONAL) {
        memset(l.weights, 0, l.nweights * sizeof(float));
        memcpy(l.biases, yolo, sizeof yolo);
    } else {
        memset(l.weights, 0, l.inputs * l.outputs * sizeof(float));
        for (i = 0; i < 4; ++i) { /* classes of all cells, then objectness, then boxes */
            memcpy(l.biases + 3 * i, of_cell, sizeof of_cell);
            l.biases[12 + i] = .9f;
            memcpy(l.biases + 16 + 4 * i, box, sizeof box);
        }
    }
    return net;
}

/* ---- Images ------------------------------------------------------------------------------------------------------ */

enum { PLAIN, MIRRORED, SYMMETRIC };

/* Writes an image of w x h random pixels; `how`: plain, mirrored left to right, or symmetric. */
static char *draw(const char *name, int w, int h, int how)
{
    FILE *file = fopen(in_folder(name), "wb");
    uint64_t seed = 11;
    unsigned char *pixels = (unsigned char *)malloc(3 * w * h);
    int x, y, k;
    assert_non_null(file);
    for (k = 0; k < 3 * w * h; ++k) pixels[k] = (unsigned char)(256 * noise(&seed));
    fprintf(file, "P6\n%d %d\n255\n", w, h);
    for (y = 0; y < h; ++y)
        for (x = 0; x < w; ++x) {
            const int from = how == MIRRORED || (how == SYMMETRIC && x >= w / 2) ? w - 1 - x : x;
            fwrite(pixels + 3 * (y * w + from), 1, 3, file);
        }
    fclose(file);
    free(pixels);
    return in_folder(name);
}

/* ---- Detecting --------------------------------------------------------------------------------------------------- */

static detect_options options_of(int scale, int other_scale, int flip, double nms)
{
    detect_options o;
    memset(&o, 0, sizeof o);
    o.scales[0] = scale;
    o.scales[1] = other_scale;
    o.scale_count = (scale != 0) + (other_scale != 0);
    o.flip = flip;
    o.letterbox = -1;
    o.nms = nms;
    return o;
}

static int try_detect(network *net, char **paths, int count, detect_options o, detect_result *found, detect_size *sizes)
{
    int status;
    memset(found, 0, sizeof *found);
    hush();
    status = detect_images(net, 3, paths, count, &o, found, sizes);
    unhush();
    return status;
}

static detect_result detect(network *net, char *path, detect_options o)
{
    detect_result found;
    detect_size size;
    if (try_detect(net, &path, 1, o, &found, &size)) fail_msg("detect_images: %s", said());
    return found;
}

static void assert_refused(network *net, char *path, detect_options o, const char *text)
{
    detect_result found;
    detect_size size;
    const int w = net->w, h = net->h;
    assert_int_equal(try_detect(net, &path, 1, o, &found, &size), 1);
    assert_complaint(text);
    assert_int_equal(net->w, w);
    assert_int_equal(net->h, h);
    free(found.detections);
}

static void assert_same(detect_result got, detect_result expected)
{
    assert_int_equal(got.count, expected.count);
    assert_true(got.count > 0);
    assert_memory_equal(got.detections, expected.detections, got.count * sizeof *got.detections);
}

static void assert_detection(ap_detection d, int class_id, float x, float y, float w, float h)
{
    assert_int_equal(d.class_id, class_id);
    assert_close(d.box.x, x, 1e-3);
    assert_close(d.box.y, y, 1e-3);
    assert_close(d.box.w, w, 1e-3);
    assert_close(d.box.h, h, 1e-3);
}

static detect_result joined(detect_result a, detect_result b)
{
    detect_result both = {0, a.count + b.count, 0};
    both.detections = (ap_detection *)malloc(both.count * sizeof(ap_detection));
    memcpy(both.detections, a.detections, a.count * sizeof(ap_detection));
    memcpy(both.detections + a.count, b.detections, b.count * sizeof(ap_detection));
    return both;
}

/* NMS from its definition: repeatedly takes the best detection that is left, and drops those of its class that overlap
 * it. */
static detect_result suppressed(detect_result all, double nms)
{
    char *state = (char *)calloc(all.count, 1); /* 1: kept, 2: dropped */
    size_t i, kept = 0;
    for (;;) {
        size_t best = all.count;
        for (i = 0; i < all.count; ++i)
            if (!state[i] && (best == all.count || all.detections[i].score > all.detections[best].score)) best = i;
        if (best == all.count) break;
        state[best] = 1;
        for (i = 0; i < all.count; ++i)
            if (!state[i] && all.detections[i].class_id == all.detections[best].class_id &&
                ap_iou(all.detections[i].box, all.detections[best].box) > nms)
                state[i] = 2;
    }
    for (i = 0; i < all.count; ++i)
        if (state[i] == 1) all.detections[kept++] = all.detections[i];
    all.count = kept;
    free(state);
    return all;
}

/* ---- Tests: one pass --------------------------------------------------------------------------------------------- */

static void one_pass_gives_what_darknets_own_functions_give_in_pixels(void **state)
{
    static const char *const cfgs[] = {NET(32, 32) DETECTOR, NET(48, 32) DETECTOR};
    size_t c;
    int i, k;
    (void)state;
    for (c = 0; c < COUNT(cfgs); ++c) {
        network *net = detector(cfgs[c]);
        char *path = draw("a.ppm", 50, 30, PLAIN);
        detect_result found = detect(net, path, options_of(0, 0, 0, .45));
        image im = load_image_color(path, 0, 0), input = letterbox_image(im, net->w, net->h);
        int boxes = 0;
        size_t n = 0;
        detection *dets;
        network_predict(net, input.data);
        dets = get_network_boxes(net, 50, 30, .005, .5, 0, 1, &boxes);
        do_nms_sort(dets, boxes, 3, .45);
        for (i = 0; i < boxes; ++i)
            for (k = 0; k < 3; ++k)
                if (dets[i].prob[k] > 0) {
                    const ap_detection d = found.detections[n++];
                    assert_true(n <= found.count);
                    assert_int_equal(d.image, 0);
                    assert_int_equal(d.class_id, k);
                    assert_true(d.score == dets[i].prob[k]);
                    assert_true(d.box.x == dets[i].bbox.x * 50. && d.box.y == dets[i].bbox.y * 30.);
                    assert_true(d.box.w == dets[i].bbox.w * 50. && d.box.h == dets[i].bbox.h * 30.);
                }
        assert_int_equal(n, found.count);
        assert_true(n > 10);
        free_detections(dets, boxes);
        free_image(im);
        free_image(input);
        free(found.detections);
        free_network(net);
    }
}

/* The boxes have their centres at 8 or 24 of 32 pixels of the input and are 8 wide and 16 high. Letterboxed, an image
 * of 64 x 32 pixels covers rows 8 to 24 of the input at half its size; one of 32 x 64 pixels columns 8 to 24. */
static void boxes_are_in_pixels_of_the_image_letterboxed_or_stretched(void **state)
{
    static const float by_hand[2][2][2][4] = {
        /* stretched: first and last cell; letterboxed: the same */
        {{{16, 8, 16, 16}, {48, 24, 16, 16}}, {{16, 0, 16, 32}, {48, 32, 16, 32}}},
        {{{8, 16, 8, 32}, {24, 48, 8, 32}}, {{0, 16, 16, 32}, {32, 48, 16, 32}}},
    };
    const char *const cfgs[] = {constant_yolo, constant_region, constant_detection};
    size_t c;
    int letterbox, portrait, i;
    (void)state;
    for (c = 0; c < COUNT(cfgs); ++c) {
        network *net = constant(cfgs[c]);
        for (letterbox = -1; letterbox <= 1; ++letterbox)
            for (portrait = 0; portrait < 2; ++portrait) {
                const int is = letterbox < 0 ? cfgs[c] != constant_detection : letterbox;
                detect_options o = options_of(0, 0, 0, 0);
                detect_result found;
                o.letterbox = letterbox;
                assert_int_equal(detect_letterbox(net, &o), is);
                found = detect(net, draw("a.ppm", portrait ? 32 : 64, portrait ? 64 : 32, PLAIN), o);
                assert_int_equal(found.count, 4);
                for (i = 0; i < 2; ++i) {
                    const float *box = by_hand[portrait][is][i];
                    assert_detection(found.detections[3 * i], 0, box[0], box[1], box[2], box[3]);
                }
                free(found.detections);
            }
        free_network(net);
    }
}

static void a_stretched_image_in_an_input_that_is_not_square(void **state)
{
    network *net = constant(NET(64, 32) CONSTANT(8, "[yolo]\nnum=1\nanchors=8,16\nclasses=3\n"));
    detect_options o = options_of(0, 0, 0, 0);
    detect_result found;
    (void)state;
    o.letterbox = 0;
    found = detect(net, draw("a.ppm", 20, 100, PLAIN), o);
    assert_int_equal(found.count, 8);
    assert_detection(found.detections[0], 0, 2.5, 25, 2.5, 50);
    assert_detection(found.detections[7], 0, 17.5, 75, 2.5, 50);
    free(found.detections);
    free_network(net);
}

/* ---- Tests: several passes --------------------------------------------------------------------------------------- */

static void a_mirrored_pass_over_an_image_is_a_plain_one_over_its_mirror_image(void **state)
{
    network *net = detector(NET(32, 32) DETECTOR);
    char *path = draw("a.ppm", 32, 16, PLAIN), *mirror = draw("b.ppm", 32, 16, MIRRORED);
    detect_result both = detect(net, path, options_of(0, 0, 1, 0)), plain = detect(net, path, options_of(0, 0, 0, 0)),
                  other = detect(net, mirror, options_of(0, 0, 0, 0));
    size_t i;
    (void)state;
    assert_int_equal(both.count, plain.count + other.count);
    assert_memory_equal(both.detections, plain.detections, plain.count * sizeof(ap_detection));
    for (i = 0; i < other.count; ++i) {
        const ap_detection d = other.detections[i], m = both.detections[plain.count + i];
        assert_detection(m, d.class_id, 32 - d.box.x, d.box.y, d.box.w, d.box.h);
        assert_true(m.score == d.score);
    }
    free(both.detections), free(plain.detections), free(other.detections);
    free_network(net);
}

static void an_image_that_is_its_own_mirror_image_gives_every_box_and_its_mirror(void **state)
{
    network *net = detector(NET(32, 32) DETECTOR);
    detect_result found = detect(net, draw("a.ppm", 32, 32, SYMMETRIC), options_of(0, 0, 1, 0));
    size_t i, n = found.count / 2;
    (void)state;
    assert_int_equal(found.count, 2 * n);
    assert_true(n > 10);
    for (i = 0; i < n; ++i) {
        const ap_detection d = found.detections[i], m = found.detections[n + i];
        assert_detection(m, d.class_id, 32 - d.box.x, d.box.y, d.box.w, d.box.h);
        assert_true(m.score == d.score);
    }
    free(found.detections);
    free_network(net);
}

/* The grey borders have 7 and 8 columns, so mirroring the image instead of the input would shift its boxes by one. */
static void it_is_the_input_that_is_mirrored_with_its_grey_stripes(void **state)
{
    network *net = detector(NET(32, 32) DETECTOR);
    char *path = draw("a.ppm", 17, 32, PLAIN);
    detect_result both = detect(net, path, options_of(0, 0, 1, 0)), plain = detect(net, path, options_of(0, 0, 0, 0));
    image im = load_image_color(path, 0, 0), input = letterbox_image(im, 32, 32);
    int boxes = 0, i, k;
    size_t n = plain.count;
    detection *dets;
    (void)state;
    flip_image(input);
    network_predict(net, input.data);
    dets = get_network_boxes(net, 17, 32, .005, .5, 0, 1, &boxes);
    for (i = 0; i < boxes; ++i)
        for (k = 0; k < 3; ++k)
            if (dets[i].prob[k] > 0) {
                const box b = dets[i].bbox;
                assert_true(n < both.count);
                assert_detection(both.detections[n], k, (1 - b.x) * 17, b.y * 32, b.w * 17, b.h * 32);
                assert_true(both.detections[n++].score == dets[i].prob[k]);
            }
    assert_int_equal(n, both.count);
    free_detections(dets, boxes);
    free_image(im);
    free_image(input);
    free(both.detections), free(plain.detections);
    free_network(net);
}

static void two_scales_give_the_boxes_of_both_after_nms(void **state)
{
    static const struct {
        int scale, other, flip;
        double nms;
    } cases[] = {{32, 64, 0, .45}, {48, 32, 0, .2}, {64, 40, 0, 0}, {32, 48, 1, .45}};
    network *net = detector(NET(32, 32) DETECTOR);
    char *path = draw("a.ppm", 40, 50, PLAIN);
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i) {
        const int flip = cases[i].flip;
        detect_result found = detect(net, path, options_of(cases[i].scale, cases[i].other, flip, cases[i].nms));
        detect_result one = detect(net, path, options_of(cases[i].scale, 0, flip, 0));
        detect_result other = detect(net, path, options_of(cases[i].other, 0, flip, 0));
        detect_result both = joined(one, other);
        const size_t candidates = both.count;
        if (cases[i].nms > 0) both = suppressed(both, cases[i].nms);
        assert_same(found, both);
        assert_true(cases[i].nms > 0 ? found.count < candidates : found.count == candidates);
        free(found.detections), free(one.detections), free(other.detections), free(both.detections);
    }
    free_network(net);
}

/* The grid is symmetric, so every box is found twice with the same score. */
static void of_equal_boxes_that_of_the_first_pass_stays(void **state)
{
    network *net = constant(constant_yolo);
    char *path = draw("a.ppm", 32, 32, PLAIN);
    detect_result found = detect(net, path, options_of(0, 0, 1, .45)),
                  plain = detect(net, path, options_of(0, 0, 0, 0)), both = detect(net, path, options_of(0, 0, 1, 0));
    (void)state;
    assert_int_equal(both.count, 8);
    assert_same(found, plain);
    free(found.detections), free(plain.detections), free(both.detections);
    free_network(net);
}

static void a_scale_that_is_the_networks_own_changes_nothing(void **state)
{
    static const struct {
        const char *cfg;
        int scale;
    } cases[] = {{NET(32, 32) DETECTOR, 32}, {NET(48, 32) DETECTOR, 48}, {NET(36, 36) BODY YOLO("0,1"), 36}};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i) {
        network *net = detector(cases[i].cfg);
        char *path = draw("a.ppm", 70, 41, PLAIN);
        detect_result found = detect(net, path, options_of(cases[i].scale, 0, 0, .45)),
                      own = detect(net, path, options_of(0, 0, 0, .45));
        assert_same(found, own);
        free(found.detections), free(own.detections);
        free_network(net);
    }
}

/* Also after the network was larger and smaller in between: what src/accel caches for a size must not be reused for
 * another. */
static void a_scale_gives_what_a_network_of_that_size_gives_and_leaves_the_network_as_it_was(void **state)
{
    static const struct {
        const char *cfg, *large;
    } cases[] = {{NET(32, 32) DETECTOR, NET(64, 64) DETECTOR}, {NET(16, 32) DETECTOR, NET(32, 64) DETECTOR}};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i) {
        network *net = detector(cases[i].cfg), *large = detector(cases[i].large);
        const int w = net->w, h = net->h;
        char *path = draw("a.ppm", 70, 41, PLAIN);
        detect_result before = detect(net, path, options_of(0, 0, 0, .45)),
                      found = detect(net, path, options_of(64, 0, 0, .45)),
                      expected = detect(large, path, options_of(0, 0, 0, .45)), after;
        assert_same(found, expected);
        free(found.detections);
        found = detect(net, path, options_of(64, 24, 1, .45));
        assert_int_equal(net->w, w);
        assert_int_equal(net->h, h);
        after = detect(net, path, options_of(0, 0, 0, .45));
        assert_same(after, before);
        free(before.detections), free(found.detections), free(expected.detections), free(after.detections);
        free_network(net);
        free_network(large);
    }
}

/* Two full groups and a part of a third. */
static void a_long_list_gives_for_every_image_what_it_gives_by_itself(void **state)
{
    enum { IMAGES = 150 };
    network *net = detector(NET(16, 16) BODY YOLO("0,1"));
    char *paths[IMAGES], *files[3];
    detect_size sizes[IMAGES];
    detect_result found, own[3];
    size_t at = 0;
    int i, flip;
    (void)state;
    files[0] = draw("a.ppm", 16, 16, PLAIN);
    files[1] = draw("b.ppm", 30, 20, PLAIN);
    files[2] = draw("c.ppm", 9, 31, SYMMETRIC);
    for (i = 0; i < IMAGES; ++i) paths[i] = files[(i + i / 7) % 3];
    for (flip = 0; flip < 2; ++flip) {
        const detect_options o = options_of(16, 24, flip, .45);
        for (i = 0; i < 3; ++i) own[i] = detect(net, files[i], o);
        assert_int_equal(try_detect(net, paths, IMAGES, o, &found, sizes), 0);
        assert_non_null(strstr(said(), flip ? "600/600 passes" : "300/300 passes"));
        for (at = i = 0; i < IMAGES; ++i) {
            const int file = (i + i / 7) % 3;
            size_t k;
            assert_int_equal(sizes[i].w, file == 0 ? 16 : file == 1 ? 30 : 9);
            assert_int_equal(sizes[i].h, file == 0 ? 16 : file == 1 ? 20 : 31);
            for (k = 0; k < own[file].count; ++k, ++at) {
                ap_detection d = own[file].detections[k];
                d.image = i;
                assert_true(at < found.count);
                assert_memory_equal(&found.detections[at], &d, sizeof d);
            }
        }
        assert_int_equal(at, found.count);
        free(found.detections);
        for (i = 0; i < 3; ++i) free(own[i].detections);
    }
    free_network(net);
}

/* ---- Tests: what is refused -------------------------------------------------------------------------------------- */

static void a_scale_keeps_the_shape_of_the_network(void **state)
{
    static const struct {
        const char *cfg;
        int scale, w, h;
    } cases[] = {{NET(64, 64) DETECTOR, 40, 40, 40}, {NET(64, 32) DETECTOR, 96, 96, 48},
                 {NET(32, 64) DETECTOR, 96, 48, 96}, {NET(64, 32) DETECTOR, 72, 72, 40},
                 {NET(64, 8) DETECTOR, 8, 8, 8},     {NET(64, 18) BODY YOLO("0,1"), 64, 64, 18}};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i) {
        network *net = detector(cases[i].cfg);
        const detect_size size = detect_scale(net, cases[i].scale);
        assert_int_equal(size.w, cases[i].w);
        assert_int_equal(size.h, cases[i].h);
        assert_int_equal(network_stride(net), i < 5 ? 8 : 4);
        free_network(net);
    }
}

static void a_scale_that_does_not_fit_is_refused_with_the_reason(void **state)
{
    static const struct {
        int scale, other;
        const char *text;
    } cases[] = {{36, 0, "scale 36: must be a multiple of 8, the network's largest stride"},
                 {32, 32, "scale 32: given twice"},
                 {-8, 0, "scale -8: must be at least 8"},
                 {65536, 0, "scale 65536: layer 0, [convolutional]: it would need more than 2 GB at that size"},
                 {131072, 0, "scale 131072: must be"}};
    network *net = detector(NET(32, 32) DETECTOR);
    char *path = draw("a.ppm", 32, 32, PLAIN);
    detect_options o = options_of(0, 0, 0, .45);
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i)
        assert_refused(net, path, options_of(cases[i].scale, cases[i].other, 0, .45), cases[i].text);
    o.scale_count = 17;
    assert_refused(net, path, o, "17 scales: must be 16 at most");
    o.scale_count = 1; /* 0 */
    assert_refused(net, path, o, "scale 0: must be at least 8");
    free_network(net);
}

/* Its [avgpool] is not the end of what has a size. */
static void a_detector_with_squeeze_and_excitation_has_scales(void **state)
{
    network *net = detector(NET(32, 32) SQUEEZED), *large = detector(NET(64, 64) SQUEEZED);
    char *path = draw("a.ppm", 64, 64, PLAIN);
    detect_result scaled = detect(net, path, options_of(64, 0, 0, .45));
    detect_result whole = detect(large, path, options_of(0, 0, 0, .45));
    (void)state;
    assert_true(whole.count > 10);
    assert_same(scaled, whole);
    free(scaled.detections);
    free(whole.detections);
    free_network(net);
    free_network(large);
}

static void a_network_that_darknet_cannot_resize_has_no_scales_but_can_be_mirrored(void **state)
{
    static const struct {
        const char *cfg, *text;
        int scale;
    } cases[] = {
        {NET(32, 32) "[dropout]\n" YOLO("0,1"), "scale 64: layer 0, [dropout]: Darknet cannot resize such a layer", 64},
        {NET(32, 32) CONVOLUTION("stride=2\n") CONVOLUTION("stride=2\n") "[shortcut]\nfrom=0\n" YOLO("0,1"),
         "scale 64: layer 2, [shortcut]: the layers that it adds differ in size", 64},
        {/* 9 x 9: 4 x 4 and then 8 x 8 on one branch, 8 x 8 on the other; at 16: 14 and 15 */
         NET(9, 9)
             CONVOLUTION("") "[maxpool]\nsize=3\nstride=2\npadding=0\n[upsample]\nstride=2\n[route]\nlayers=0\n"
                             "[convolutional]\nsize=2\nfilters=12\nactivation=leaky\n[route]\nlayers=2,4\n" YOLO("0,1"),
         "scale 16: layer 5, [route]: the layers that it joins differ in size", 16},
        {NET(32, 32) "[avgpool]\n" YOLO("0,1"), "scale 64: layer 0, [avgpool]: Darknet cannot resize such a layer",
         64}};
    size_t i;
    detect_result found;
    network *net;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i) {
        net = detector(cases[i].cfg);
        assert_refused(net, draw("a.ppm", 32, 32, PLAIN), options_of(cases[i].scale, 0, 0, .45), cases[i].text);
        free_network(net);
    }
    net = constant(constant_detection);
    assert_refused(net, draw("a.ppm", 32, 32, PLAIN), options_of(64, 0, 0, .45), "[connected]: Darknet cannot resize");
    found = detect(net, draw("a.ppm", 64, 32, PLAIN), options_of(0, 0, 1, 0));
    assert_int_equal(found.count, 8);
    assert_detection(found.detections[4], 0, 48, 8, 16, 16);
    free(found.detections);
    free_network(net);
}

static void a_file_that_is_no_image_is_named(void **state)
{
    network *net = detector(NET(32, 32) DETECTOR);
    char *paths[10];
    detect_size sizes[10];
    detect_result found;
    FILE *file = fopen(in_folder("b.ppm"), "w");
    int i, many;
    (void)state;
    fputs("no image", file);
    fclose(file);
    for (many = 0; many < 2; ++many) {
        for (i = 0; i < 10; ++i) paths[i] = i == 6 ? in_folder("b.ppm") : draw("a.ppm", 32, 32, PLAIN);
        assert_int_equal(try_detect(net, paths, 10, options_of(many ? 64 : 0, many ? 40 : 0, many, .45), &found, sizes),
                         1);
        assert_non_null(strstr(said(), "b.ppm: not an image that can be decoded\n"));
        assert_int_equal(net->w, 32);
        free(found.detections);
    }
    assert_refused(net, in_folder("missing"), options_of(0, 0, 0, .45), "missing: not an image that can be decoded");
    assert_refused(net, draw("a.ppm", 300, 1, PLAIN), options_of(0, 0, 0, .45),
                   "a.ppm: too long and thin for the network's input");
    /* its height is 2 pixels at 64, and 0 at 24 */
    assert_refused(net, draw("a.ppm", 64, 2, PLAIN), options_of(64, 24, 0, .45), "a.ppm: too long and thin");
    free_network(net);
}

static void outputs_and_boxes_that_are_not_finite_are_refused(void **state)
{
    network *net = constant(constant_yolo);
    char *path = draw("a.ppm", 32, 32, PLAIN);
    layer l = net->layers[net->n - 2];
    (void)state;
    l.biases[2] = 1000;
    assert_refused(net, path, options_of(0, 0, 1, .45), "a.ppm: a box is not finite");
    l.biases[2] = NAN;
    assert_refused(net, path, options_of(0, 0, 0, .45), "a.ppm: the output is not finite");
    free_network(net);
}

static void a_network_without_a_proper_head_is_not_loaded(void **state)
{
#define OTHER_YOLO "[convolutional]\nfilters=14\nsize=1\nactivation=linear\n[yolo]\nnum=2\nanchors=1,2,3,4\nclasses=2\n"
    static const struct {
        const char *cfg, *text;
    } cases[] = {
        {NET(32, 32) CONVOLUTION(""), "has no [yolo], [region] or [detection] section"},
        {NET(32, 32) YOLO("0,1") "[route]\nlayers=0\n", "the last section must be a head"},
        {NET(32, 32) YOLO("0,1") "[route]\nlayers=0\n" OTHER_YOLO, "heads of 3 and of 2 classes: must be the same"},
        {"[net]\nwidth=32\nheight=32\nchannels=1\n" YOLO("0,1"), "channels=1: must be 3"}};
    size_t i;
    int classes;
    (void)state;
    for (i = 0; i < COUNT(cases); ++i) {
        assert_null(load(cases[i].cfg, &classes));
        assert_complaint(cases[i].text);
    }
}

/* In the output of a tree, boxes may be taken but once: Darknet multiplies the classes by their parents in place. (With
 * tree= Darknet's CPU code gives no finite output, so this is no run of a network.) */
static void the_highest_score_is_found_but_not_of_a_tree_whose_output_stays(void **state)
{
    enum { CLASSES = 2, OUTPUTS = 5 + CLASSES };
    float output[OUTPUTS] = {0, 0, 0, 0, .3f, .5f, .6f}, biases[] = {1, 1}, before[OUTPUTS];
    int parents[] = {-1, 0}, sizes[] = {1, 1}, offsets[] = {0, 1}, groups[] = {0, 1}, leaves[] = {0, 1};
    int class_id = -1;
    tree t = {.leaf = leaves, .n = CLASSES, .parent = parents, .group = groups, .groups = 2, .group_size = sizes};
    layer head = {.type = REGION, .w = 1, .h = 1, .n = 1, .coords = 4, .classes = CLASSES, .batch = 1};
    network net = {.n = 1, .batch = 1, .layers = &head, .w = 32, .h = 32};
    (void)state;
    t.group_offset = offsets;
    head.softmax_tree = &t;
    head.outputs = OUTPUTS;
    head.output = output;
    head.biases = biases;
    memcpy(before, output, sizeof before);
    assert_true(highest_score_of_output(&net, 32, 32, &class_id) == -1);
    assert_memory_equal(output, before, sizeof before);
    head.softmax_tree = 0;
    assert_close(highest_score_of_output(&net, 32, 32, &class_id), .3 * .6, 1e-6);
    assert_int_equal(class_id, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pass_gives_what_darknets_own_functions_give_in_pixels),
        cmocka_unit_test(boxes_are_in_pixels_of_the_image_letterboxed_or_stretched),
        cmocka_unit_test(a_stretched_image_in_an_input_that_is_not_square),
        cmocka_unit_test(a_mirrored_pass_over_an_image_is_a_plain_one_over_its_mirror_image),
        cmocka_unit_test(an_image_that_is_its_own_mirror_image_gives_every_box_and_its_mirror),
        cmocka_unit_test(it_is_the_input_that_is_mirrored_with_its_grey_stripes),
        cmocka_unit_test(two_scales_give_the_boxes_of_both_after_nms),
        cmocka_unit_test(of_equal_boxes_that_of_the_first_pass_stays),
        cmocka_unit_test(a_scale_that_is_the_networks_own_changes_nothing),
        cmocka_unit_test(a_scale_gives_what_a_network_of_that_size_gives_and_leaves_the_network_as_it_was),
        cmocka_unit_test(a_long_list_gives_for_every_image_what_it_gives_by_itself),
        cmocka_unit_test(a_scale_keeps_the_shape_of_the_network),
        cmocka_unit_test(a_scale_that_does_not_fit_is_refused_with_the_reason),
        cmocka_unit_test(a_detector_with_squeeze_and_excitation_has_scales),
        cmocka_unit_test(a_network_that_darknet_cannot_resize_has_no_scales_but_can_be_mirrored),
        cmocka_unit_test(a_file_that_is_no_image_is_named),
        cmocka_unit_test(outputs_and_boxes_that_are_not_finite_are_refused),
        cmocka_unit_test(a_network_without_a_proper_head_is_not_loaded),
        cmocka_unit_test(the_highest_score_is_found_but_not_of_a_tree_whose_output_stays),
    };
    gpu_index = -1; /* other tests compare the GPU with the CPU */
    keep_last_words();
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
