/* Tests of the class heads of [yolo], [region] and [detection]: without smoothing they train as Darknet's own heads,
 * with it according to the equations, and every object is counted once; and of the keys that [yolo] alone has.
 * test_class_heads_golden.c compares golden values. */
#include "helpers/test_networks.h"

/* ---- Against the same heads without the key ------------------------------------------------------------------------
 */

static void assert_hard_head_trains_like_plain(const char *head)
{
    network *plain = network_of(31, NET("8") TRUNK "%s", 6, 2, .9, .01, head);
    network *hard = network_of(31, NET("8") TRUNK "%ssmoothing=hard\n", 6, 2, .9, .01, head);
    int i;
    assert_null(last_layer(plain).label_smoothing);
    for (i = 0; i < 20; ++i) {
        iterate(plain, i);
        iterate(hard, i);
        assert_same_activations(plain, hard);
        assert_same_weights(plain, hard);
        assert_true(*plain->cost == *hard->cost);
    }
    free_network(plain);
    free_network(hard);
}

static void a_hard_yolo_head_trains_like_one_without_the_key_bit_for_bit(void **state)
{
    (void)state;
    assert_hard_head_trains_like_plain(YOLO_HEAD);
}

/* With this truth_thresh nearly every prediction overlaps an object enough to be trained on it, besides the assigned
 * anchor. */
static void a_hard_yolo_head_that_assigns_an_object_to_many_anchors_does_too(void **state)
{
    (void)state;
    assert_hard_head_trains_like_plain("[yolo]\nanchors=3,3\nnum=1\nclasses=3\nignore_thresh=.1\ntruth_thresh=.1\n");
}

static void a_hard_detection_head_trains_like_one_without_the_key_bit_for_bit(void **state)
{
    (void)state;
    assert_hard_head_trains_like_plain(DETECTION_HEAD);
    assert_hard_head_trains_like_plain(DETECTION_HEAD "softmax=1\n");
}

/* On the CPU unpatched Darknet cannot train [region]: its backward pass is empty. So only the network with
 * smoothing=hard is trained, and the other one gets its weights. Compared is the result of the forward pass; before the
 * head only outputs, because gradients there are out of date until a backward pass. */
static void a_hard_region_head_has_the_deltas_of_one_without_the_key_bit_for_bit(void **state)
{
    int softmax, i, j;
    (void)state;
    for (softmax = 0; softmax < 2; ++softmax) {
        network *plain = network_of(32, NET("8") TRUNK REGION_HEAD "softmax=%d\n", 3, 1, 0., .01, softmax);
        network *hard =
            network_of(32, NET("8") TRUNK REGION_HEAD "softmax=%d\nsmoothing=hard\n", 3, 1, 0., .01, softmax);
        for (i = 0; i < 20; ++i) {
            for (j = 0; j < hard->n; ++j) {
                layer from = hard->layers[j], to = plain->layers[j];
                if (!weights_of(from)) continue;
                memcpy(to.weights, from.weights, weights_of(from) * sizeof(float));
                memcpy(to.biases, from.biases, biases_of(from) * sizeof(float));
                if (from.scales) memcpy(to.scales, from.scales, biases_of(from) * sizeof(float));
            }
            put_batch(plain, 3 * i);
            put_batch(hard, 3 * i);
            forward(plain);
            forward(hard);
            for (j = 0; j < hard->n; ++j) {
                layer a = plain->layers[j], b = hard->layers[j];
                assert_same_bits("output", j, a.output, b.output, (size_t)a.outputs * a.batch);
                if (j + 1 == hard->n) assert_same_bits("delta", j, a.delta, b.delta, (size_t)a.outputs * a.batch);
            }
            assert_true(*plain->cost == *hard->cost);
            backward(hard);
            update_network(hard);
        }
        free_network(plain);
        free_network(hard);
    }
}

/* ---- Against the equations -----------------------------------------------------------------------------------------
 */

/* One cell whose eight values are the biases of a convolution with weights 0, so that the input of the head is known;
 * learning rate 0 keeps them. Anchors are in pixels for [yolo] and in cells for [region]; the image is one pixel. */
#define ONE_CELL                                                                                                       \
    "[net]\nbatch=1\nwidth=1\nheight=1\nchannels=1\nmomentum=0\ndecay=0\nlearning_rate=0\n"                            \
    "[convolutional]\nfilters=8\nsize=1\nactivation=linear\n"
#define ONE_CELL_YOLO "[yolo]\nanchors=.5,.5\nnum=1\nclasses=3\n"

static network *one_cell(const char *head, const float *values)
{
    network *net = network_of(1, ONE_CELL "%s", head);
    layer l = net->layers[0];
    memset(l.weights, 0, 8 * sizeof(float));
    memcpy(l.biases, values, 8 * sizeof(float));
    net->input[0] = 1;
    return net;
}

static const struct {
    const char *section;
    int classes_at; /* index among the eight values */
    float scale;    /* class_scale */
} heads[] = {
    {ONE_CELL_YOLO "class_gain=1\n", 5, 1},
    {ONE_CELL_YOLO "class_loss=softmax\nclass_gain=3\n", 5, 3},
    {"[region]\nanchors=.5,.5\nnum=1\nclasses=3\ncoords=4\nclass_scale=2\n", 5, 2},
    {"[region]\nanchors=.5,.5\nnum=1\nclasses=3\ncoords=4\nclass_scale=2\nsoftmax=1\n", 5, 2},
    {"[detection]\nclasses=3\ncoords=4\nside=1\nnum=1\nclass_scale=3\n", 0, 3},
    {"[detection]\nclasses=3\ncoords=4\nside=1\nnum=1\nclass_scale=3\nsoftmax=1\n", 0, 3},
};

/* Eq. 2 with e = .3 and K = 3: q = .1 for a class, .8 for the true one. */
static void ls_trains_a_head_towards_equation_2(void **state)
{
    static const float values[8] = {.1f, .2f, -.3f, .4f, .5f, -.6f, .7f, -.2f};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < COUNT(heads); ++h) {
        char section[512];
        network *net;
        layer l;
        snprintf(section, sizeof section, "%ssmoothing=ls\nepsilon=.3\n", heads[h].section);
        net = one_cell(section, values);
        l = last_layer(net);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 1);
        forward(net);
        for (k = 0; k < 3; ++k) {
            float p = l.output[heads[h].classes_at + k], q = k == 1 ? .8f : .1f;
            assert_close(l.delta[heads[h].classes_at + k], heads[h].scale * (q - p), 1e-6);
        }
        assert_null(l.label_smoothing->state);
        free_network(net);
    }
}

/* With alpha .5, q = .5 onehot + .5 S[y]. */
static void ols_trains_a_head_towards_its_soft_labels_and_counts_its_scores(void **state)
{
    static const float values[8] = {.1f, .2f, .9f, .4f, .5f, -.6f, .7f, -.2f};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < COUNT(heads); ++h) {
        /* the middle class has the largest score in both layouts, and no value is negative where there is no
         * activation */
        static const float soft[9] = {.7f, .2f, .1f, .2f, .7f, .1f, .1f, .3f, .6f};
        char section[512];
        network *net;
        layer l;
        ols_state *s;
        float *scores;
        snprintf(section, sizeof section, "%ssmoothing=ols\nperiod=100\n", heads[h].section);
        net = one_cell(section, values);
        if (last_layer(net).type == DETECTION) net->layers[0].biases[1] = 1.5f, net->layers[0].biases[2] = .9f;
        l = last_layer(net);
        s = state_of(net);
        memcpy(s->S, soft, sizeof soft);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 1);
        forward(net);
        scores = l.output + heads[h].classes_at;
        for (k = 0; k < 3; ++k)
            assert_close(l.delta[heads[h].classes_at + k],
                         heads[h].scale * ((k == 1) * .5 + .5 * soft[3 + k] - scores[k]), 1e-6);
        assert_same_bits("A", 1, s->A + 3, scores, 3);
        assert_int_equal(s->seen[1], 1);
        assert_int_equal(s->correct[1], 1);
        assert_int_equal(sum_of(s->seen, 3), 1);
        assert_int_equal(s->images, 1);
        free_network(net);
    }
}

/* Computed by hand. The logits of the classes are 0, ln 3 and -ln 3, so their scores are 1/2, 3/4, 1/4; all other
 * logits are 0. One object of class 1 has exactly the anchor's box: box delta 0, objectness delta 1 - 1/2.
 *
 * Step 1, S = 1/3: q = (1/6, 2/3, 1/6), delta = q - p = (-1/3, -1/12, 1/6 - 1/4 = -1/12).
 * cost = sum of squares = 1/4 + 16/144 + 1/144 + 1/144 = 3/8.
 * Class 1 has the largest score, so A[1] = p and S[1] = p / (3/2) = (1/3, 1/2, 1/6). Rows 0 and 2 are uniform again.
 * Step 2: q = 1/2 (0 1 0) + 1/2 S[1] = (1/6, 3/4, 1/12), delta = (-1/3, 0, -1/6), cost = 1/4 + 1/9 + 1/36 = 7/18. */
static void a_yolo_head_takes_the_two_steps_worked_out_by_hand(void **state)
{
    static const double deltas[2][3] = {{-1 / 3., -1 / 12., -1 / 12.}, {-1 / 3., 0, -1 / 6.}};
    static const double soft[9] = {1 / 3., 1 / 3., 1 / 3., 1 / 3., 1 / 2., 1 / 6., 1 / 3., 1 / 3., 1 / 3.};
    const float ln3 = (float)log(3), values[8] = {0, 0, 0, 0, 0, 0, ln3, -ln3};
    network *net = one_cell(ONE_CELL_YOLO "class_gain=1\nsmoothing=ols\nperiod=1\n", values);
    layer l = last_layer(net);
    int i, k;
    (void)state;
    put_object(net, net->truth, 0, .5, .5, .5, .5, 1);
    for (i = 0; i < 2; ++i) {
        hush();
        train_network_datum(net);
        unhush();
        for (k = 0; k < 4; ++k) assert_close(l.delta[k], 0, 1e-6);
        assert_close(l.delta[4], .5, 1e-6);
        for (k = 0; k < 3; ++k) assert_close(l.delta[5 + k], deltas[i][k], 1e-6);
        assert_close(*net->cost, i ? 7 / 18. : 3 / 8., 1e-6);
        for (k = 0; k < 9; ++k) assert_close(state_of(net)->S[k], soft[k], 1e-6);
        assert_int_equal(state_of(net)->updates, i + 1);
    }
    free_network(net);
}

static void a_head_that_scores_another_class_higher_counts_as_wrong(void **state)
{
    static const float values[8] = {0, 0, 0, 0, 0, 1, 2, 0};
    network *net = one_cell(ONE_CELL_YOLO "smoothing=ols\nperiod=100\n", values);
    ols_state *s = state_of(net);
    int k;
    (void)state;
    put_object(net, net->truth, 0, .5, .5, .5, .5, 0);
    forward(net);
    assert_int_equal(s->seen[0], 1);
    assert_int_equal(s->correct[0], 0);
    for (k = 0; k < 9; ++k) assert_true(s->A[k] == 0);
    free_network(net);
}

/* As in Darknet with hard labels: with the second object every class keeps the larger of its two targets, so that
 * neither object lowers what the other raises. In a softmax only the second object counts. */
static void two_objects_of_different_classes_share_an_anchor(void **state)
{
    static const float values[8] = {0, 0, 0, 0, 0, .4f, .2f, -.1f};
    /* e = .3: class 0 has (.8 .1 .1), class 2 (.1 .1 .8) */
    static const float merged[3] = {.8f, .1f, .8f}, second[3] = {.1f, .1f, .8f};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < 4; ++h) {
        char section[512];
        network *net;
        layer l;
        snprintf(section, sizeof section, "%ssmoothing=ls\nepsilon=.3\n", heads[h].section);
        net = one_cell(section, values);
        l = last_layer(net);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 0);
        put_object(net, net->truth, 1, .5, .5, .5, .5, 2);
        forward(net);
        for (k = 0; k < 3; ++k)
            assert_close(l.delta[5 + k], heads[h].scale * ((l.softmax ? second : merged)[k] - l.output[5 + k]), 1e-6);
        free_network(net);
    }
}

/* The score of class 0 is exactly 1, so that its delta is 0 when the first object has been trained. */
static void an_anchor_has_an_object_also_where_its_delta_is_0(void **state)
{
    static const float values[8] = {0, 0, 0, 0, 0, 60, .2f, -.1f};
    static const float merged[3] = {1, 0, 1};
    size_t h;
    int k;
    (void)state;
    for (h = 0; h < 4; h += 2) {
        char section[512];
        network *net;
        layer l;
        snprintf(section, sizeof section, "%ssmoothing=hard\n", heads[h].section);
        net = one_cell(section, values);
        l = last_layer(net);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 0);
        put_object(net, net->truth, 1, .5, .5, .5, .5, 2);
        forward(net);
        assert_true(l.output[5] == 1);
        for (k = 0; k < 3; ++k) assert_close(l.delta[5 + k], heads[h].scale * (merged[k] - l.output[5 + k]), 1e-6);
        put_object(net, net->truth, 0, .5, .5, .5, .5, 2);
        forward(net); /* the next image has no object of class 0 */
        for (k = 0; k < 3; ++k) assert_close(l.delta[5 + k], heads[h].scale * ((k == 2) - l.output[5 + k]), 1e-6);
        free_network(net);
    }
}

/* The soft labels of class 0 are .6 .3 .1, of class 2 there are none: its target is half of a hard one, and weighs
 * half. Class 0 and 1 have the higher target in the first object; the delta of class 1 is lower there. */
static void objects_at_one_anchor_are_merged_by_target_and_not_by_delta(void **state)
{
    static const float values[8] = {0, 0, 0, 0, 0, .4f, 2, -.1f}, soft[3] = {.6f, .3f, .1f};
    network *net = one_cell(ONE_CELL_YOLO "class_gain=1\nsmoothing=ols\ninit=zero\n", values);
    layer l = last_layer(net);
    ols_state *s = l.label_smoothing->state;
    (void)state;
    memcpy(s->S, soft, sizeof soft);
    s->row_sum[0] = 1;
    put_object(net, net->truth, 0, .5, .5, .5, .5, 0);
    put_object(net, net->truth, 1, .5, .5, .5, .5, 2);
    forward(net);
    assert_close(l.delta[5], .8 - l.output[5], 1e-6);
    assert_close(l.delta[6], .15 - l.output[6], 1e-6);
    assert_close(l.delta[7], .5 - .5 * l.output[7], 1e-6);
    free_network(net);
}

/* On the CPU this pass is empty in Darknet; its GPU version multiplies the deltas of x, y and objectness by the slope
 * of their logistic activation and does not change the others. */
static void the_backward_pass_of_a_region_with_smoothing_is_that_of_darknets_gpu(void **state)
{
    int softmax, i;
    (void)state;
    for (softmax = 0; softmax < 2; ++softmax) {
        network *net = network_of(33, NET("8") TRUNK REGION_HEAD "softmax=%d\nsmoothing=ls\n", 2, 1, 0., .01, softmax);
        layer l = last_layer(net);
        int n = l.batch * l.outputs, location = l.w * l.h;
        float *delta = (float *)malloc(n * sizeof(float));
        put_batch(net, 0);
        forward(net);
        memcpy(delta, l.delta, n * sizeof(float));
        backward(net);
        for (i = 0; i < n; ++i) {
            int entry = i / location % 8; /* x, y, w, h, objectness, three classes */
            float y = l.output[i], squashed = entry < 2 || entry == 4 ? y * (1 - y) : 1;
            /* the convolution before the head is linear, so its delta is the head's gradient */
            assert_close(net->layers[net->n - 2].delta[i], delta[i] * squashed, 1e-6);
        }
        free(delta);
        free_network(net);
    }
}

/* ---- class_gain=, class_loss= --------------------------------------------------------------------------------------
 */

/* A [yolo] that also trains predictions which overlap an object (truth_thresh), with these keys. */
static network *yolo_with(const char *keys)
{
    return network_of(34, NET("8") TRUNK "[yolo]\nanchors=3,3\nnum=1\nclasses=3\nignore_thresh=.1\ntruth_thresh=.1\n%s",
                      4, 1, 0., .1, keys);
}

static network *yolo_with_gain(const char *gain, const char *keys)
{
    char text[128];
    snprintf(text, sizeof text, "class_gain=%s\n%s", gain, keys);
    return yolo_with(text);
}

static void class_gain_multiplies_the_deltas_of_the_classes_and_no_others(void **state)
{
    static const char *const smoothings[] = {"",
                                             "smoothing=hard\n",
                                             "smoothing=ls\n",
                                             "smoothing=ols\nperiod=9\n",
                                             "smoothing=ols\nperiod=9\nclass_loss=softmax\n",
                                             "class_loss=softmax\n"};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(smoothings); ++i) {
        network *plain = yolo_with_gain("1", smoothings[i]), *heavy = yolo_with_gain("2.5", smoothings[i]);
        layer a = last_layer(plain), b = last_layer(heavy);
        int j, trained = 0, place = a.w * a.h;
        double cost = 0;
        put_batch(plain, 0);
        put_batch(heavy, 0);
        forward(plain);
        forward(heavy);
        assert_same_bits("output", 3, a.output, b.output, (size_t)a.outputs * a.batch);
        for (j = 0; j < a.outputs * a.batch; ++j) {
            const int is_class = j / place % 8 >= 5;
            assert_true(b.delta[j] == (is_class ? 2.5f * a.delta[j] : a.delta[j]));
            trained += is_class && a.delta[j] != 0;
            cost += (double)b.delta[j] * b.delta[j];
        }
        assert_true(trained > 6 * 3);
        assert_close(*heavy->cost, cost, 1e-5 * cost);
        assert_int_equal(!b.label_smoothing, i == 0);
        free_network(plain);
        free_network(heavy);
    }
}

static void class_gain_is_1_for_hard_labels_and_2_for_soft_ones_unless_a_section_says_otherwise(void **state)
{
    static const struct {
        const char *keys, *gain;
    } defaults[] = {{"", "1"},
                    {"class_loss=softmax\n", "1"},
                    {"smoothing=hard\n", "1"},
                    {"smoothing=ls\n", "2"},
                    {"smoothing=ols\nperiod=9\n", "2"},
                    {"smoothing=ols\nperiod=9\nclass_loss=softmax\n", "2"}};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(defaults); ++i) {
        network *plain = yolo_with(defaults[i].keys), *given = yolo_with_gain(defaults[i].gain, defaults[i].keys);
        layer a = last_layer(plain), b = last_layer(given);
        put_batch(plain, 0);
        put_batch(given, 0);
        forward(plain);
        forward(given);
        assert_same_bits("delta", 3, a.delta, b.delta, (size_t)a.outputs * a.batch);
        free_network(plain);
        free_network(given);
    }
}

static void the_defaults_of_the_keys_train_like_a_head_without_them_bit_for_bit(void **state)
{
    network *plain = network_of(35, NET("8") TRUNK YOLO_HEAD, 6, 2, .9, .01);
    network *other =
        network_of(35, NET("8") TRUNK YOLO_HEAD "class_gain=1 # as it is\nclass_loss=sigmoid # too\niou_thresh=1\n", 6,
                   2, .9, .01);
    int i;
    (void)state;
    assert_null(last_layer(other).label_smoothing);
    for (i = 0; i < 10; ++i) {
        iterate(plain, i);
        iterate(other, i);
        assert_same_activations(plain, other);
        assert_same_weights(plain, other);
    }
    free_network(plain);
    free_network(other);
}

/* Every anchor of every image, in training and in inference; x, y, w, h and objectness are those of a sigmoid head. */
static void the_scores_of_a_softmax_head_sum_to_1(void **state)
{
    network *sigmoid = network_of(36, NET("16") THREE_HEADS(""), 3, 1, 0., .1);
    network *softmax = network_of(36, NET("16") THREE_HEADS("class_loss=softmax\n"), 3, 1, 0., .1);
    const int heads_at[] = {2, 6, 9};
    int h, i, j, k, train;
    (void)state;
    for (train = 0; train < 2; ++train) {
        put_batch(sigmoid, 0);
        put_batch(softmax, 0);
        sigmoid->train = softmax->train = train;
        hush();
        forward_network(sigmoid);
        forward_network(softmax);
        unhush();
        for (h = 0; h < 3; ++h) {
            layer a = sigmoid->layers[heads_at[h]], b = softmax->layers[heads_at[h]];
            const int place = b.w * b.h;
            for (i = 0; i < b.batch * b.n; ++i)
                for (j = 0; j < place; ++j) {
                    const float *one = a.output + i * 8 * place + j, *other = b.output + i * 8 * place + j;
                    double sum = 0;
                    for (k = 0; k < 5; ++k) assert_true(one[k * place] == other[k * place]);
                    for (k = 5; k < 8; ++k) {
                        /* of a softmax, ratios are those of exp(logit) */
                        const double odds = one[k * place] / (1. - one[k * place]),
                                     odds0 = one[5 * place] / (1. - one[5 * place]);
                        assert_close(other[k * place] / other[5 * place], odds / odds0, 1e-4 * odds / odds0);
                        sum += other[k * place];
                    }
                    assert_close(sum, 1, 1e-6);
                }
        }
    }
    free_network(sigmoid);
    free_network(softmax);
}

static void without_smoothing_a_softmax_head_has_hard_labels(void **state)
{
    network *plain = yolo_with("class_loss=softmax\n"), *hard = yolo_with("class_loss=softmax\nsmoothing=hard\n");
    int i;
    (void)state;
    assert_non_null(last_layer(plain).label_smoothing);
    for (i = 0; i < 10; ++i) {
        iterate(plain, i);
        iterate(hard, i);
        assert_same_activations(plain, hard);
        assert_same_weights(plain, hard);
    }
    free_network(plain);
    free_network(hard);
}

/* ---- iou_thresh= ---------------------------------------------------------------------------------------------------
 */

/* Three anchors in one head; an object of 5 x 5 pixels at .3, .6 of 16 x 16 has an IoU of 4/25 = .16 with the first, 1
 * with the second, 25/144 = .174 with the third. */
#define THREE_ANCHORS                                                                                                  \
    NET("16")                                                                                                          \
    "[convolutional]\nfilters=24\nsize=3\nstride=4\npad=1\nactivation=linear\n"                                        \
    "[yolo]\nanchors=2,2, 5,5, 12,12\nnum=3\nclasses=3\nignore_thresh=.7\ntruth_thresh=1\n%s"

static network *three_anchors(const char *keys)
{
    network *net = network_of(37, THREE_ANCHORS, 1, 1, 0., .1, keys);
    int i;
    for (i = 0; i < 3; ++i) net->layers[0].biases[8 * i + 6] = 3; /* class 1 has the largest score */
    for (i = 0; i < net->inputs; ++i) net->input[i] = i % 7 * .1f;
    put_object(net, net->truth, 0, .3f, .6f, 5 / 16.f, 5 / 16.f, 1);
    forward(net);
    return net;
}

/* Delta and output of an entry (x, y, w, h, objectness, classes) of an anchor, in the cell of the object. */
static int entry_of(layer l, int anchor, int entry)
{
    return ((anchor * 8 + entry) * l.h + (int)(.6f * l.h)) * l.w + (int)(.3f * l.w);
}

/* The second anchor is the object's own, and the third is above the threshold of .165, the first is not. */
static void iou_thresh_trains_the_anchors_above_it_too(void **state)
{
    static const char *const smoothings[] = {"", "smoothing=hard\n", "class_loss=softmax\n"};
    static const float target[3] = {0, 1, 0};
    size_t s;
    (void)state;
    for (s = 0; s < COUNT(smoothings); ++s) {
        char keys[128];
        network *plain = three_anchors(smoothings[s]), *net;
        layer a = last_layer(plain), b;
        int i, k, trained = 0;
        snprintf(keys, sizeof keys, "iou_thresh=.165\n%s", smoothings[s]);
        net = three_anchors(keys);
        b = last_layer(net);
        for (i = 0; i < b.outputs; ++i) trained += a.delta[i] != b.delta[i];
        assert_int_equal(trained, 8); /* x, y, w, h, objectness and classes of the third anchor */
        for (k = 0; k < 3; ++k)
            assert_close(b.delta[entry_of(b, 2, 5 + k)], target[k] - b.output[entry_of(b, 2, 5 + k)], 1e-6);
        assert_close(b.delta[entry_of(b, 2, 4)], 1 - b.output[entry_of(b, 2, 4)], 1e-6);
        for (k = 0; k < 2; ++k) {
            const double scale = 2 - 25 / 256., at = k ? .6f * b.h - (int)(.6f * b.h) : .3f * b.w - (int)(.3f * b.w);
            assert_close(b.delta[entry_of(b, 2, k)], scale * (at - b.output[entry_of(b, 2, k)]), 1e-5);
            assert_close(b.delta[entry_of(b, 2, 2 + k)], scale * (log(5 / 12.) - b.output[entry_of(b, 2, 2 + k)]),
                         1e-5);
        }
        free_network(plain);
        free_network(net);
    }
}

/* Also an anchor of a head that does not have the object's own one. The statistics are those of its own anchor. */
static void an_object_with_several_anchors_counts_once_with_the_scores_of_its_own(void **state)
{
    network *plain = three_anchors("smoothing=ols\nperiod=100\n"), *net;
    network *heads = network_of(42, NET("16") THREE_HEADS("iou_thresh=0\nsmoothing=ols\nperiod=100\n"), 1, 1, 0., .1);
    const int heads_at[] = {2, 6, 9};
    int h, i;
    (void)state;
    net = three_anchors("smoothing=ols\nperiod=100\niou_thresh=0\n");
    assert_same_counts(state_of(plain), state_of(net));
    assert_same_bits("A", 1, state_of(plain)->A, state_of(net)->A, 9);
    assert_int_equal(sum_of(state_of(net)->seen, 3), 1);
    assert_int_equal(state_of(net)->correct[1], 1);
    /* 12 of 16 pixels: anchor number 2, which the first head has not */
    put_object(heads, heads->truth, 0, .5f, .5f, 12 / 16.f, 12 / 16.f, 1);
    forward(heads);
    for (h = 0; h < 3; ++h) {
        layer l = heads->layers[heads_at[h]];
        int trained = 0;
        for (i = 0; i < l.outputs; ++i) trained += l.delta[i] != 0 && i / (l.w * l.h) % 8 >= 5;
        assert_int_equal(trained, 3 * l.n);
    }
    assert_int_equal(state_of(heads)->seen[1], 1);
    assert_int_equal(sum_of(state_of(heads)->seen, 3), 1);
    free_network(plain);
    free_network(net);
    free_network(heads);
}

/* As in AlexeyAB's Darknet, which adds the deltas up and divides them; Darknet keeps that of the last object. */
static void an_anchor_of_several_objects_is_trained_on_their_mean_box(void **state)
{
    static const float values[8] = {.1f, .2f, -.3f, .4f, .5f, .4f, .2f, -.1f};
    static const float objects[3][4] = {{.4f, .5f, .5f, .5f}, {.6f, .3f, .4f, .6f}, {.7f, .2f, .7f, .4f}};
    network *nets[3], *all = one_cell(ONE_CELL_YOLO "iou_thresh=.99\n", values);
    int i, k;
    (void)state;
    for (i = 0; i < 3; ++i) {
        const float *o = objects[i];
        nets[i] = one_cell(ONE_CELL_YOLO, values);
        put_object(nets[i], nets[i]->truth, 0, o[0], o[1], o[2], o[3], i);
        put_object(all, all->truth, i, o[0], o[1], o[2], o[3], i);
        forward(nets[i]);
    }
    forward(all);
    for (k = 0; k < 4; ++k) {
        double mean = 0;
        for (i = 0; i < 3; ++i) mean += last_layer(nets[i]).delta[k] / 3.;
        assert_close(last_layer(all).delta[k], mean, 1e-6);
    }
    for (k = 0; k < 3; ++k) assert_close(last_layer(all).delta[5 + k], 1 - last_layer(all).output[5 + k], 1e-6);
    for (i = 0; i < 3; ++i) free_network(nets[i]);
    free_network(all);
}

/* ---- Objects and statistics ----------------------------------------------------------------------------------------
 */

static void an_object_trained_at_many_anchors_counts_once(void **state)
{
    /* truth_thresh=0: every prediction that overlaps the object is trained on it */
    network *net = network_of(41,
                              NET("8") TRUNK "[yolo]\nanchors=3,3, 6,6\nmask=0\nnum=2\nclasses=3\ntruth_thresh=0\n"
                                             "smoothing=ols\nperiod=100\n",
                              1, 1, 0., .1);
    layer l = last_layer(net);
    ols_state *s = state_of(net);
    int i, trained = 0;
    (void)state;
    put_object(net, net->truth, 0, .5, .5, .4, .4, 2);
    forward(net);
    for (i = 0; i < l.w * l.h; ++i) trained += l.delta[5 * l.w * l.h + i] != 0;
    assert_true(trained > 1);
    assert_int_equal(s->seen[2], 1);
    assert_int_equal(sum_of(s->seen, 3), 1);
    forward(net); /* the next image is another one */
    assert_int_equal(s->seen[2], 2);
    free_network(net);
}

static void an_object_in_two_heads_with_overlapping_masks_counts_once(void **state)
{
    network *net = network_of(42, NET("16") THREE_HEADS("smoothing=ols\nperiod=100\n"), 2, 1, 0., .1);
    int heads_at[] = {2, 6, 9}, trained[3] = {0}, h, i;
    ols_state *s = state_of(net);
    (void)state;
    /* 5 of 16 pixels: the best anchor is number 1, which the first two heads have */
    put_object(net, net->truth, 0, .5f, .5f, 5 / 16.f, 5 / 16.f, 1);
    /* the second image has the object twice, with two classes */
    put_object(net, net->truth + net->truths, 0, .5f, .5f, 5 / 16.f, 5 / 16.f, 1);
    put_object(net, net->truth + net->truths, 1, .5f, .5f, 5 / 16.f, 5 / 16.f, 0);
    forward(net);
    for (h = 0; h < 3; ++h) {
        layer l = net->layers[heads_at[h]];
        for (i = 0; i < l.outputs; ++i) trained[h] += l.delta[i] > 0;
    }
    assert_true(trained[0] > 0 && trained[1] > 0);
    assert_int_equal(trained[2], 0);
    assert_int_equal(s->seen[1], 2);
    assert_int_equal(s->seen[0], 1);
    assert_int_equal(sum_of(s->seen, 3), 3);
    free_network(net);
}

static void three_heads_share_one_state_that_counts_images_and_iterations_once(void **state)
{
    network *net = network_of(43, NET("16") THREE_HEADS("smoothing=ols\nperiod=2\n"), 4, 2, 0., .01);
    ols_state *s = net->layers[2].label_smoothing->state;
    (void)state;
    assert_non_null(s);
    assert_ptr_equal(net->layers[6].label_smoothing->state, s);
    assert_ptr_equal(net->layers[9].label_smoothing->state, s);
    assert_ptr_equal(soft_labels_owner(net, 0), net->layers[2].label_smoothing);
    assert_null(soft_labels_owner(net, 1));
    iterate(net, 0);
    assert_int_equal(s->images, 4);
    assert_int_equal(s->iterations, 1);
    assert_int_equal(s->updates, 0);
    iterate(net, 1);
    assert_int_equal(s->updates, 1);
    assert_int_equal(s->iterations, 0);
    assert_int_equal(sum_of(s->seen, 3), 0);
    free_network(net);
}

/* max= of [region] is smaller than the number of objects, but Darknet always reads 30 of them. */
static void an_object_past_max_still_counts(void **state)
{
    network *net = network_of(44, NET("8") TRUNK REGION_HEAD "max=1\nsmoothing=ols\nperiod=100\n", 1, 1, 0., .1);
    (void)state;
    put_object(net, net->truth, 0, .3f, .3f, .4f, .4f, 0);
    put_object(net, net->truth, 1, .7f, .7f, .4f, .4f, 1);
    put_object(net, net->truth, 2, .7f, .3f, .4f, .4f, 2);
    forward(net);
    assert_int_equal(sum_of(state_of(net)->seen, 3), 3);
    free_network(net);
}

static void forward_in_child(void *net)
{
    ((network *)net)->train = 1;
    forward_network((network *)net);
}

static void a_class_out_of_range_in_a_label_file_ends_with_one_line(void **state)
{
    static const char *const names[] = {"[yolo]", "[yolo]", "[region]", "[region]"};
    static const float values[8] = {0};
    size_t h;
    (void)state;
    for (h = 0; h < 4; ++h) {
        static const int labels[] = {3, -1};
        size_t i;
        for (i = 0; i < COUNT(labels); ++i) {
            char section[512], words[4096], expected[256];
            network *net;
            snprintf(section, sizeof section, "%ssmoothing=ls\n", heads[h].section);
            net = one_cell(section, values);
            put_object(net, net->truth, 0, .5, .5, .5, .5, labels[i]);
            snprintf(
                expected, sizeof expected,
                "darknet: %s (layer 1): an object has class %d, but classes=3 allows 0 to 2: check the label files "
                "of the training list\n",
                names[h], labels[i]);
            assert_int_equal(status_of(forward_in_child, net, words, sizeof words), 1);
            assert_string_equal(words, expected);
            free_network(net);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hard_yolo_head_trains_like_one_without_the_key_bit_for_bit),
        TEST(a_hard_yolo_head_that_assigns_an_object_to_many_anchors_does_too),
        TEST(a_hard_detection_head_trains_like_one_without_the_key_bit_for_bit),
        TEST(a_hard_region_head_has_the_deltas_of_one_without_the_key_bit_for_bit),
        TEST(ls_trains_a_head_towards_equation_2),
        TEST(ols_trains_a_head_towards_its_soft_labels_and_counts_its_scores),
        TEST(a_yolo_head_takes_the_two_steps_worked_out_by_hand),
        TEST(a_head_that_scores_another_class_higher_counts_as_wrong),
        TEST(two_objects_of_different_classes_share_an_anchor),
        TEST(an_anchor_has_an_object_also_where_its_delta_is_0),
        TEST(objects_at_one_anchor_are_merged_by_target_and_not_by_delta),
        TEST(the_backward_pass_of_a_region_with_smoothing_is_that_of_darknets_gpu),
        TEST(class_gain_multiplies_the_deltas_of_the_classes_and_no_others),
        TEST(class_gain_is_1_for_hard_labels_and_2_for_soft_ones_unless_a_section_says_otherwise),
        TEST(the_defaults_of_the_keys_train_like_a_head_without_them_bit_for_bit),
        TEST(the_scores_of_a_softmax_head_sum_to_1),
        TEST(without_smoothing_a_softmax_head_has_hard_labels),
        TEST(iou_thresh_trains_the_anchors_above_it_too),
        TEST(an_object_with_several_anchors_counts_once_with_the_scores_of_its_own),
        TEST(an_anchor_of_several_objects_is_trained_on_their_mean_box),
        TEST(an_object_trained_at_many_anchors_counts_once),
        TEST(an_object_in_two_heads_with_overlapping_masks_counts_once),
        TEST(three_heads_share_one_state_that_counts_images_and_iterations_once),
        TEST(an_object_past_max_still_counts),
        TEST(a_class_out_of_range_in_a_label_file_ends_with_one_line),
    };
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
