/* Tests of src/eval/detection_loss.h: the loss of an image is what Darknet's own training pass reports for the same
 * pixels, with hard labels, and computing it leaves the network as it was. */
#include "eval/detection_loss.h"

#include "eval/detect.h"
#include "helpers/leaks_of_darknet.h"
#include "helpers/test_networks.h"
#include "image.h"
#include "network.h"

#include <math.h>

/* Without batch normalization, whose statistics differ between training and inference. */
#define BODY                                                                                                           \
    "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"                                          \
    "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
#define INPUT(w, h) "[net]\nbatch=1\nwidth=" #w "\nheight=" #h "\nchannels=3\nlearning_rate=0\nmax_batches=9\n"
#define SMOOTHED "smoothing=ols\n"

#define YOLO_NETWORK(keys) INPUT(32, 24) BODY THREE_HEADS(keys)
#define REGION_NETWORK(keys, more)                                                                                     \
    INPUT(32, 24)                                                                                                      \
    BODY "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n"                                                    \
         "[region]\nanchors=1.5,1.5, 3,4\nnum=2\nclasses=3\ncoords=4\nthresh=.6\nobject_scale=5\nnoobject_scale=1\n"   \
         "class_scale=2\ncoord_scale=1\n" more keys
#define GRID_NETWORK(keys) INPUT(32, 32) BODY "[connected]\noutput=128\nactivation=linear\n" DETECTION_HEAD keys

/* The objects of the image, in fractions of it. A tiny one and a difficult one are not trained on; the last reaches
 * over the edge. */
static const ap_object objects[] = {
    {0, 1, {.3, .4, .3, .5}, 0}, {0, 0, {.7, .6, .2, .2}, 0},  {0, 2, {.5, .5, .0004, .3}, 0},
    {0, 2, {.2, .8, .2, .2}, 1}, {0, 2, {.95, .9, .3, .2}, 0},
};

/* Writes the image: noise of w x h pixels. */
static char *write_image(int w, int h)
{
    char *path = in_folder("a.ppm");
    FILE *file = fopen(path, "wb");
    uint32_t random = 3;
    int i;
    assert_non_null(file);
    fprintf(file, "P6\n%d %d\n255\n", w, h);
    for (i = 0; i < w * h * 3; ++i) fputc((int)(uniform(&random) * 256), file);
    fclose(file);
    return path;
}

/* What a training pass of the network reports for the image. The objects lie where they are in the input of this
 * network: at x * sx + ox. */
static double trained_loss(const char *cfg, const char *path, int letterbox, float sx, float ox, float sy, float oy)
{
    network *net = network_of(5, cfg);
    image loaded = load_image_color((char *)path, 0, 0);
    image input = letterbox ? letterbox_image(loaded, net->w, net->h) : resize_image(loaded, net->w, net->h);
    const int trained[] = {0, 1, 4};
    double loss;
    size_t i;
    memcpy(net->input, input.data, net->inputs * sizeof(float));
    memset(net->truth, 0, net->truths * sizeof(float));
    for (i = 0; i < COUNT(trained); ++i) {
        const ap_object *o = &objects[trained[i]];
        const float left = (float)(o->box.x - o->box.w / 2) * sx + ox, top = (float)(o->box.y - o->box.h / 2) * sy + oy;
        const float right = (float)(o->box.x + o->box.w / 2) * sx + ox;
        const float bottom = (float)(o->box.y + o->box.h / 2) * sy + oy;
        const float x2 = right < 1 ? right : 1, y2 = bottom < 1 ? bottom : 1;
        put_object(net, net->truth, (int)i, (left + x2) / 2, (top + y2) / 2, x2 - left, y2 - top, o->class_id);
    }
    *net->seen = 1 << 20; /* behind [region]'s beginning */
    forward(net);
    loss = *net->cost;
    free_image(loaded);
    free_image(input);
    free_network(net);
    return loss;
}

typedef struct {
    double loss;
    int letterbox, images;
} measured;

static void measure(void *context, const network *net, int image, int w, int h)
{
    measured *m = (measured *)context;
    assert_int_equal(image, 0);
    m->loss = detection_loss(net, objects, COUNT(objects), w, h, m->letterbox);
    ++m->images;
}

/* The loss by way of detect_images, which reads the file. */
static double detected_loss(network *net, const char *path, int letterbox)
{
    measured m = {-1, letterbox, 0};
    detect_options how = {0};
    detect_result found = {0};
    detect_size size;
    char *paths[] = {(char *)path};
    int status;
    how.letterbox = letterbox;
    how.seen = measure;
    how.context = &m;
    hush();
    status = detect_images(net, HEAD_CLASSES, paths, 1, &how, &found, &size);
    unhush();
    if (strstr(said(), "IOU")) fail_msg("a head has printed: %s", said());
    assert_int_equal(status, 0);
    assert_int_equal(m.images, 1);
    free(found.detections);
    return m.loss;
}

static void assert_losses(const char *smoothed, const char *hard, const char *path, int letterbox, float sx, float ox,
                          float sy, float oy)
{
    const double want = trained_loss(hard, path, letterbox, sx, ox, sy, oy);
    const char *cfgs[] = {hard, smoothed};
    int i;
    assert_true(want > 1);
    for (i = 0; i < 2; ++i) {
        network *net = network_of(5, cfgs[i]);
        const double loss = detected_loss(net, path, letterbox);
        if (!(fabs(loss - want) < 3e-7 * want)) fail_msg("%s: %.9g, not %.9g", i ? "smoothed" : "hard", loss, want);
        free_network(net);
    }
}

static void the_loss_of_yolo_heads_is_that_of_a_training_pass_with_hard_labels(void **state)
{
    (void)state;
    /* 64 x 36 becomes 32 x 18, with 3 pixels above and below */
    assert_losses(YOLO_NETWORK(SMOOTHED), YOLO_NETWORK(""), write_image(64, 36), 1, 1, 0, 18 / 24.f, 3 / 24.f);
    /* 30 x 45 becomes 16 x 24, with 8 pixels at both sides */
    assert_losses(YOLO_NETWORK(SMOOTHED), YOLO_NETWORK(""), write_image(30, 45), 1, .5f, .25f, 1, 0);
    assert_losses(YOLO_NETWORK(SMOOTHED), YOLO_NETWORK(""), write_image(64, 36), 0, 1, 0, 1, 0);
}

/* The same quantity whatever the head is trained with. */
static void neither_class_gain_nor_iou_thresh_is_in_the_loss(void **state)
{
    (void)state;
    assert_losses(YOLO_NETWORK(SMOOTHED "class_gain=7\n"), YOLO_NETWORK(""), write_image(64, 36), 0, 1, 0, 1, 0);
    assert_losses(YOLO_NETWORK("iou_thresh=.1\n"), YOLO_NETWORK(""), write_image(64, 36), 0, 1, 0, 1, 0);
    assert_losses(YOLO_NETWORK("class_gain=.2\n"), YOLO_NETWORK(""), write_image(64, 36), 0, 1, 0, 1, 0);
}

static void the_loss_of_a_softmax_head_is_that_of_its_scores(void **state)
{
    (void)state;
    assert_losses(YOLO_NETWORK("class_loss=softmax\nclass_gain=3\n" SMOOTHED), YOLO_NETWORK("class_loss=softmax\n"),
                  write_image(64, 36), 1, 1, 0, 18 / 24.f, 3 / 24.f);
}

static void so_is_that_of_a_region_head(void **state)
{
    (void)state;
    assert_losses(REGION_NETWORK(SMOOTHED, "softmax=1\n"), REGION_NETWORK("", "softmax=1\n"), write_image(64, 36), 1, 1,
                  0, 18 / 24.f, 3 / 24.f);
    assert_losses(REGION_NETWORK(SMOOTHED, "rescore=1\n"), REGION_NETWORK("", "rescore=1\n"), write_image(64, 36), 0, 1,
                  0, 1, 0);
}

static void and_that_of_a_detection_head(void **state)
{
    (void)state;
    assert_losses(GRID_NETWORK(SMOOTHED), GRID_NETWORK(""), write_image(40, 40), 0, 1, 0, 1, 0);
}

/* The soft labels do not begin to learn, images are not counted, and the detections stay what they are. */
static void measuring_the_loss_changes_nothing(void **state)
{
    char *path = write_image(64, 36);
    network *net = network_of(5, YOLO_NETWORK(SMOOTHED));
    const ols_state *soft = state_of(net);
    float *before = (float *)malloc(net->outputs * sizeof(float));
    image loaded = load_image_color(path, 0, 0), input = letterbox_image(loaded, net->w, net->h);
    int k;
    (void)state;
    network_predict(net, input.data);
    memcpy(before, last_layer(net).output, net->outputs * sizeof(float));
    detection_loss(net, objects, COUNT(objects), 64, 36, 1);
    assert_memory_equal(last_layer(net).output, before, net->outputs * sizeof(float));
    for (k = 0; k < HEAD_CLASSES * HEAD_CLASSES; ++k) assert_true(soft->A[k] == 0);
    assert_true(soft->images == 0 && *net->seen == 0 && net->train == 0 && !net->quiet);
    free(before);
    free_image(loaded);
    free_image(input);
    free_network(net);
}

/* More objects than a head takes: the first ones count. */
static void a_head_takes_as_many_objects_as_it_has_room_for(void **state)
{
    enum { MANY = 200 };
    network *net = network_of(5, YOLO_NETWORK(""));
    ap_object many[MANY];
    int i;
    double of_90, of_all;
    (void)state;
    for (i = 0; i < MANY; ++i) {
        many[i] = objects[0];
        many[i].box.x = .1 + .8 * i / MANY;
        many[i].box.y = .1 + .8 * (i * 37 % MANY) / MANY;
    }
    write_image(32, 24);
    memset(net->input, 0, net->inputs * sizeof(float));
    network_predict(net, net->input);
    of_90 = detection_loss(net, many, 90, 32, 24, 1);
    of_all = detection_loss(net, many, MANY, 32, 24, 1);
    assert_true(of_90 == of_all);
    assert_true(detection_loss(net, many, 80, 32, 24, 1) != of_90);
    free_network(net);
}

static void a_head_with_masks_has_no_loss(void **state)
{
    network *net = network_of(5, REGION_NETWORK("", ""));
    (void)state;
    assert_null(detection_loss_problem(net));
    net->layers[net->n - 1].coords = 6;
    assert_non_null(strstr(detection_loss_problem(net), "masks"));
    net->layers[net->n - 1].coords = 4;
    free_network(net);
}

static int remove_image(void **state)
{
    unlink(in_folder("a.ppm"));
    return remove_folder(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_loss_of_yolo_heads_is_that_of_a_training_pass_with_hard_labels, after_test),
        cmocka_unit_test_teardown(neither_class_gain_nor_iou_thresh_is_in_the_loss, after_test),
        cmocka_unit_test_teardown(the_loss_of_a_softmax_head_is_that_of_its_scores, after_test),
        cmocka_unit_test_teardown(so_is_that_of_a_region_head, after_test),
        cmocka_unit_test_teardown(and_that_of_a_detection_head, after_test),
        cmocka_unit_test_teardown(measuring_the_loss_changes_nothing, after_test),
        cmocka_unit_test_teardown(a_head_takes_as_many_objects_as_it_has_room_for, after_test),
        cmocka_unit_test_teardown(a_head_with_masks_has_no_loss, after_test),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_image);
}
