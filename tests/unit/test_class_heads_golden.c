/* Compares the class heads of [yolo], [region] and [detection] with golden values (tests/golden/heads.txt, written by
 * make-golden-heads from the equations of the papers), and their gradients with finite differences.
 *
 * No layer of a case's network has weights. So the input of the head, and the gradient that it returns, are known
 * number by number.
 *
 * Equation numbers are those of "Delving Deep into Label Smoothing" (Zhang et al., IEEE TIP 2021). The losses of hard
 * labels are those of YOLO v1 (Eq. 3 of its paper: squared error), v2 (softmax) and v3 (a binary cross entropy per
 * class).
 */
#include "layers/label_smoothing.h"
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include <darknet.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int make_folder(void **state)
{
    (void)state;
    return make_folder_for("test_class_heads_golden");
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"net.cfg"};
    (void)state;
    return remove_folder_with(names, COUNT(names));
}

/* ---- The golden file --------------------------------------------------------------------------------------------- */

enum { CLASSES = 4, PASSES = 4, MOST_PLACES = 64, MOST_IMAGES = 3, MOST_OBJECTS = 16 };

/* A place where a head trains class scores: the classes of its objects, in the order of training, and the expected
 * results. */
typedef struct {
    int layer, image, anchor, row, column, objects, labels[MOST_OBJECTS];
    double delta[CLASSES];
} place;

typedef struct {
    int image;
    float label, x, y, w, h;
} object;

typedef struct {
    float *input; /* [images][size] */
    object objects[MOST_OBJECTS];
    int object_count;
    place places[MOST_PLACES];
    int place_count;
    double loss, A[CLASSES * CLASSES], correct[CLASSES], seen[CLASSES], S[CLASSES * CLASSES];
    int has_statistics, has_update; /* A, correct and seen; S */
} golden_pass;

typedef struct {
    char cfg[2048], plain_cfg[2048]; /* with smoothing, and without */
    int images, size;                /* size: floats of one image */
    double S[CLASSES * CLASSES];     /* S at the start */
    int has_soft;
    golden_pass passes[PASSES];
} golden;

/* Reads a line and splits off its first word into `word`. Returns the rest, or NULL at the end. Static storage. */
static char *next_line(FILE *file, char word[16])
{
    static char line[65536];
    char *rest;
    while (fgets(line, sizeof line, file)) {
        size_t length = strcspn(line, "\n");
        assert_true(line[length] == '\n');
        line[length] = 0;
        if (line[0] == '#') continue;
        rest = strchr(line, ' ');
        if (rest) *rest++ = 0;
        assert_true(strlen(line) < 16);
        strcpy(word, line);
        return rest ? rest : line + strlen(line);
    }
    return 0;
}

/* The next number of a line. */
static double number(char **text)
{
    char *end;
    double value = strtod(*text, &end);
    assert_true(end != *text);
    *text = end;
    return value;
}

static void numbers(char *text, double *values, int n)
{
    while (n--) *values++ = number(&text);
    assert_true(!*text);
}

static void append(char *cfg, const char *line)
{
    assert_true(strlen(cfg) + strlen(line) + 2 < sizeof((golden *)0)->cfg);
    strcat(strcat(cfg, line), "\n");
}

static void read_scene(FILE *file, golden *g)
{
    char word[16], *text;
    int pass = -1, images = 0, i;
    while ((text = next_line(file, word)) && (pass < PASSES - 1 || strcmp(word, "case"))) {
        golden_pass *p = g->passes + pass;
        if (!strcmp(word, "scene")) break;
        if (!strcmp(word, "pass")) {
            assert_true(++pass < PASSES);
            images = 0;
            g->passes[pass].input = floats((size_t)g->images * g->size);
        } else if (!strcmp(word, "input")) {
            assert_true(images < g->images);
            for (i = 0; i < g->size; ++i) p->input[images * g->size + i] = (float)number(&text);
            ++images;
        } else {
            object *o = p->objects + p->object_count++;
            assert_string_equal(word, "object");
            assert_true(p->object_count <= MOST_OBJECTS);
            o->image = (int)number(&text);
            o->label = (float)number(&text);
            o->x = (float)number(&text);
            o->y = (float)number(&text);
            o->w = (float)number(&text);
            o->h = (float)number(&text);
        }
    }
    assert_int_equal(pass, PASSES - 1);
}

static void read_place(char *text, golden_pass *p)
{
    place *at = p->places + p->place_count++;
    int i;
    assert_true(p->place_count <= MOST_PLACES);
    at->layer = (int)number(&text);
    at->image = (int)number(&text);
    at->anchor = (int)number(&text);
    at->row = (int)number(&text);
    at->column = (int)number(&text);
    at->objects = (int)number(&text);
    for (i = 0; i < at->objects; ++i) at->labels[i] = (int)number(&text);
    assert_true(!strncmp(text, " delta ", 7));
    numbers(text + 6, at->delta, CLASSES);
}

static void read_case(FILE *file, golden *g)
{
    char word[16], *text;
    int pass = -1;
    while ((text = next_line(file, word)) && strcmp(word, "case") && strcmp(word, "end")) {
        golden_pass *p = g->passes + pass;
        if (!strcmp(word, "cfg")) {
            append(g->cfg, text);
            append(g->plain_cfg, text);
        } else if (!strcmp(word, "key")) {
            append(g->cfg, text);
        } else if (!strcmp(word, "pass")) {
            assert_true(++pass < PASSES);
        } else if (!strcmp(word, "soft")) {
            numbers(text, pass < 0 ? g->S : p->S, CLASSES * CLASSES);
            *(pass < 0 ? &g->has_soft : &p->has_update) = 1;
        } else if (!strcmp(word, "place")) {
            read_place(text, p);
        } else if (!strcmp(word, "loss")) {
            numbers(text, &p->loss, 1);
        } else if (!strcmp(word, "sums")) {
            numbers(text, p->A, CLASSES * CLASSES);
            p->has_statistics = 1;
        } else if (!strcmp(word, "correct")) {
            numbers(text, p->correct, CLASSES);
        } else {
            assert_string_equal(word, "seen");
            numbers(text, p->seen, CLASSES);
        }
    }
    assert_int_equal(pass, PASSES - 1);
}

/* Reads the case with this name. Free with free_golden. */
static golden *read_golden(const char *name)
{
    golden *g = (golden *)calloc(1, sizeof *g);
    FILE *file = open_golden("heads.txt");
    char word[16], scene[64] = "", *text;
    assert_non_null(g);
    while (!*scene && (text = next_line(file, word)))
        if (!strcmp(word, "case") && !strncmp(text, name, strlen(name)) && text[strlen(name)] == ' ') {
            strcpy(scene, text + strlen(name) + 1);
            read_case(file, g);
        }
    if (!*scene) fail_msg("heads.txt has no case %s", name);
    rewind(file);
    while ((text = next_line(file, word))) {
        if (!strcmp(word, "size")) {
            assert_int_equal(number(&text), CLASSES);
            assert_int_equal(number(&text), PASSES);
        }
        if (strcmp(word, "scene") || strncmp(text, scene, strlen(scene)) || text[strlen(scene)] != ' ') continue;
        text += strlen(scene);
        g->images = (int)number(&text);
        g->size = (int)number(&text);
        read_scene(file, g);
        break;
    }
    assert_true(g->images > 0 && g->images <= MOST_IMAGES);
    fclose(file);
    return g;
}

static void free_golden(golden *g)
{
    int pass;
    for (pass = 0; pass < PASSES; ++pass) free(g->passes[pass].input);
    free(g);
}

/* ---- Networks ---------------------------------------------------------------------------------------------------- */

static network *network_of(const char *cfg)
{
    FILE *file = fopen(in_folder("net.cfg"), "w");
    network *net;
    assert_non_null(file);
    fputs(cfg, file);
    fclose(file);
    hush();
    net = parse_network_cfg(in_folder("net.cfg"));
    unhush();
    return net;
}

static layer last_layer(network *net)
{
    return net->layers[net->n - 1];
}

/* Writes an object into the truth as the heads read it: a row of the image's list, or the object's cell if it is
 * free. */
static void put_object(network *net, float *truth, int slot, object o)
{
    layer l = last_layer(net);
    if (l.type == DETECTION) {
        int column = (int)(o.x * l.side), row = (int)(o.y * l.side);
        float *cell = truth + (row * l.side + column) * (1 + l.classes + 4);
        if (*cell != 0) return;
        cell[0] = 1;
        cell[1 + (int)o.label] = 1;
        cell[1 + l.classes] = o.x * l.side - column;
        cell[2 + l.classes] = o.y * l.side - row;
        cell[3 + l.classes] = o.w;
        cell[4 + l.classes] = o.h;
    } else {
        float row[5] = {o.x, o.y, o.w, o.h, o.label};
        memcpy(truth + 5 * slot, row, sizeof row);
    }
}

static void put_pass(network *net, const golden *g, const golden_pass *p)
{
    int slots[MOST_IMAGES] = {0}, i;
    assert_int_equal(net->batch, g->images);
    assert_int_equal(net->inputs, g->size);
    memcpy(net->input, p->input, (size_t)g->images * g->size * sizeof(float));
    memset(net->truth, 0, (size_t)net->truths * g->images * sizeof(float));
    for (i = 0; i < p->object_count; ++i) {
        object o = p->objects[i];
        put_object(net, net->truth + o.image * net->truths, slots[o.image]++, o);
    }
}

static void forward(network *net)
{
    net->train = 1;
    hush();
    forward_network(net);
    unhush();
}

/* Index of class k of a place in the layer's output. */
static int entry(layer l, const place *at, int k)
{
    if (l.type == DETECTION) return at->image * l.inputs + (at->row * l.side + at->column) * l.classes + k;
    return at->image * l.outputs + (at->anchor * (5 + l.classes) + 5 + k) * l.w * l.h + at->row * l.w + at->column;
}

/* Whether entry i of a layer's output is a class score. */
static int is_class_entry(layer l, int i)
{
    if (l.type == DETECTION) return i % l.inputs < l.side * l.side * l.classes;
    return i / (l.w * l.h) % (5 + l.classes) >= 5;
}

static int is_head(layer l)
{
    return l.type == YOLO || l.type == REGION || l.type == DETECTION;
}

/* ---- Golden values ----------------------------------------------------------------------------------------------- */

/* Asserts that the class deltas of every head are the golden ones at the places, and 0 everywhere else. */
static void assert_deltas(network *net, const golden_pass *p)
{
    int i, j, k, found = 0;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        double *expected;
        if (!is_head(l)) continue;
        expected = (double *)calloc((size_t)l.outputs * l.batch, sizeof(double));
        for (j = 0; j < p->place_count; ++j) {
            if (p->places[j].layer != i) continue;
            ++found;
            for (k = 0; k < CLASSES; ++k) expected[entry(l, p->places + j, k)] = p->places[j].delta[k];
        }
        for (j = 0; j < l.outputs * l.batch; ++j)
            if (is_class_entry(l, j) && !(fabs(l.delta[j] - expected[j]) <= 2e-6))
                fail_msg("layer %d, image %d: delta[%d] is %.9g, not %.9g", i, j / l.outputs, j % l.outputs, l.delta[j],
                         expected[j]);
        free(expected);
    }
    assert_int_equal(found, p->place_count);
}

/* Smoothing changes only the classes: outputs and everything about boxes and objectness are bit for bit as in the
 * network without the key. */
static void assert_all_else_is_as_without_smoothing(network *net, network *plain)
{
    int i, j;
    for (i = 0; i < net->n; ++i) {
        layer a = net->layers[i], b = plain->layers[i];
        assert_memory_equal(a.output, b.output, (size_t)a.outputs * a.batch * sizeof(float));
        if (!is_head(a)) continue;
        for (j = 0; j < a.outputs * a.batch; ++j)
            if (!is_class_entry(a, j) && memcmp(a.delta + j, b.delta + j, sizeof(float)))
                fail_msg("layer %d: delta[%d] is %.9g with smoothing and %.9g without", i, j, a.delta[j], b.delta[j]);
    }
}

/* In Darknet, the loss of a head that training prints is the sum of its squared deltas. */
static void assert_cost(network *net)
{
    double sum = 0;
    int i, j, heads = 0;
    for (i = 0; i < net->n; ++i) {
        layer l = net->layers[i];
        double own = 0;
        if (!is_head(l)) continue;
        for (j = 0; j < l.outputs * l.batch; ++j) own += (double)l.delta[j] * l.delta[j];
        assert_close(*l.cost, own, 1e-5 * own);
        sum += own;
        ++heads;
    }
    assert_close(*net->cost, sum / heads, 1e-5 * sum); /* with several heads: the mean over the heads */
}

static void assert_statistics(const ols_state *state, const golden_pass *p)
{
    int k;
    for (k = 0; k < CLASSES * CLASSES; ++k) assert_close(state->A[k], p->A[k], 2e-6);
    for (k = 0; k < CLASSES; ++k) {
        assert_int_equal(state->correct[k], (int)p->correct[k]);
        assert_int_equal(state->seen[k], (int)p->seen[k]);
    }
}

static void assert_soft_labels(const ols_state *state, const double *soft)
{
    int k;
    for (k = 0; k < CLASSES * CLASSES; ++k) assert_close(state->S[k], soft[k], 2e-6);
}

/* Creates the network of a case, with its S. net->delta gets the gradient of the network's input; the caller frees
 * it. */
static network *network_of_golden(const golden *g)
{
    network *net = network_of(g->cfg);
    label_smoothing *owner = soft_labels_owner(net, 0);
    int k;
    assert_non_null(owner);
    assert_int_equal(owner->state != 0, g->has_soft);
    for (k = 0; g->has_soft && k < CLASSES; ++k) owner->state->row_sum[k] = 0;
    for (k = 0; g->has_soft && k < CLASSES * CLASSES; ++k) {
        owner->state->S[k] = (float)g->S[k];
        owner->state->row_sum[k / CLASSES] += owner->state->S[k];
    }
    net->delta = floats((size_t)net->inputs * net->batch);
    return net;
}

static void free_all(network *net)
{
    free(net->delta);
    free_network(net);
}

/* Two iterations of two subdivisions: compares deltas (Eq. 1 to 4) and statistics (Eq. 5) after every subdivision, and
 * S (Eq. 6) after each iteration. The second iteration uses the S of the first. */
static void golden_case(void **test)
{
    golden *g = read_golden((const char *)*test);
    network *net = network_of_golden(g), *plain = network_of(g->plain_cfg);
    ols_state *state = soft_labels_owner(net, 0)->state;
    int pass, i;
    plain->delta = floats((size_t)net->inputs * net->batch);
    /* a [yolo] with class_loss=softmax has hard labels then */
    assert_true(!soft_labels_owner(plain, 0) || !soft_labels_owner(plain, 0)->state);
    for (pass = 0; pass < PASSES; ++pass) {
        const golden_pass *p = g->passes + pass;
        layer l = net->layers[0];
        float *delta = 0;
        put_pass(net, g, p);
        put_pass(plain, g, p);
        memset(net->delta, 0, (size_t)net->inputs * net->batch * sizeof(float));
        *net->seen += net->batch; /* as train_network_datum counts */
        *plain->seen += net->batch;
        forward(net);
        forward(plain);
        assert_deltas(net, p);
        assert_all_else_is_as_without_smoothing(net, plain);
        assert_cost(net);
        assert_int_equal(state != 0, p->has_statistics);
        if (state) {
            assert_statistics(state, p);
            assert_int_equal(state->images, (pass % 2 + 1) * g->images);
        }
        if (is_head(l)) {
            delta = floats((size_t)l.outputs * l.batch);
            memcpy(delta, l.delta, (size_t)l.outputs * l.batch * sizeof(float));
        }
        hush();
        backward_network(net);
        if (pass % 2) update_network(net);
        unhush();
        /* The class deltas are passed on unchanged; [region] multiplies those of boxes and objectness by slopes. */
        for (i = 0; delta && i < l.outputs * l.batch; ++i)
            if (is_class_entry(l, i)) assert_close(net->delta[i], delta[i], 1e-7);
        free(delta);
        if (state && pass % 2) assert_soft_labels(state, p->S);
        assert_int_equal(p->has_update, state && pass % 2);
        if (state) assert_int_equal(state->updates, (pass + 1) / 2);
    }
    free_all(net);
    free_all(plain);
    free_golden(g);
}

/* ---- Gradients --------------------------------------------------------------------------------------------------- */

/* The parameters of a class loss: the weights of Eq. 4 and S; or those of Eq. 2, whose rows are uniform, and of Tf-KD,
 * whose rows are the teacher's. */
typedef struct {
    double hard, soft, rows[CLASSES][CLASSES];
    int is_one_target; /* Eq. 2 and Tf-KD mix the targets, Eq. 4 the losses; for a squared error they differ by a
                          constant */
    const ols_options *options;
} weights;

/* The teacher of Tf-KD for class y, with its temperature. */
static double teacher(const ols_options *o, int y, int k)
{
    const double power = 1 / (double)o->tfkd_temperature, right = pow(o->tfkd_c, power);
    const double other = pow((1 - (double)o->tfkd_c) / (CLASSES - 1), power);
    return (k == y ? right : other) / (right + (CLASSES - 1) * other);
}

/* The parameters for the network's cfg. */
static weights weights_of(network *net)
{
    label_smoothing *labels = soft_labels_owner(net, 0);
    const ols_options *o = &labels->options;
    weights w = {1, 0, {{0}}, o->smoothing == OLS_LS || o->smoothing == OLS_TFKD, o};
    int y, k;
    if (o->smoothing == OLS_LS) w.hard = 1 - o->epsilon, w.soft = o->epsilon;
    if (o->smoothing == OLS_TFKD) w.hard = 1 - o->tfkd_alpha, w.soft = o->tfkd_alpha;
    if (o->smoothing == OLS_BOOTSOFT || o->smoothing == OLS_BOOTHARD) w.hard = o->boot_beta < 0 ? .8 : o->boot_beta;
    if (o->smoothing == OLS_SCE) w.hard = o->sce_alpha;
    if (o->smoothing == OLS_GCE) w.hard = 0;
    if (labels->state && !o->start) /* which the first pass is before */
        w.hard = o->alpha, w.soft = o->soft_weight < 0 ? 1 - o->alpha : o->soft_weight;
    for (y = 0; y < CLASSES; ++y)
        for (k = 0; k < CLASSES; ++k)
            w.rows[y][k] = labels->state              ? labels->state->S[y * CLASSES + k]
                           : o->smoothing == OLS_TFKD ? teacher(o, y, k)
                                                      : 1. / CLASSES;
    if (o->smoothing == OLS_TFKD && o->tfkd_temperature != 1) w.soft = 0; /* no mixture of targets: method_loss */
    return w;
}

/* Loss of one class with target t, where the head says p: for a softmax one term of -sum_k t log p, for a sigmoid the
 * binary cross entropy; v1 takes half of the squared error. */
static double term(layer l, double t, double p)
{
    if (l.softmax) return -t * log(p);
    if (l.type == DETECTION) return (t - p) * (t - p) / 2;
    return -t * log(p) - (1 - t) * log(1 - p);
}

/* What a method's loss has beside the cross entropy with the label, from its definition, for an object of class y. */
static double method_loss(layer l, const weights *w, const place *at, int y)
{
    const ols_options *o = w->options;
    double p[CLASSES], loss = 0, sum = 0;
    int k, top = 0;
    for (k = 0; k < CLASSES; ++k) {
        p[k] = l.output[entry(l, at, k)];
        if (p[k] > p[top]) top = k;
        sum += pow(p[k], 1 / (double)o->tfkd_temperature);
    }
    switch (o->smoothing) {
    case OLS_BOOTSOFT:
        for (k = 0; k < CLASSES; ++k) loss += (1 - w->hard) * term(l, p[k], p[k]);
        return loss;
    case OLS_BOOTHARD:
        for (k = 0; k < CLASSES; ++k) loss += (1 - w->hard) * term(l, k == top, p[k]);
        return loss;
    case OLS_SCE:
        return -o->sce_beta * o->sce_a * (1 - p[y]);
    case OLS_GCE:
        return (1 - pow(p[y], o->gce_q)) / o->gce_q;
    case OLS_TFKD:
        for (k = 0; k < CLASSES; ++k)
            loss -= o->tfkd_alpha * w->rows[y][k] * log(pow(p[k], 1 / (double)o->tfkd_temperature) / sum);
        return o->tfkd_temperature == 1 ? 0 : loss;
    default:
        return 0;
    }
}

/* The class that an object of a place is trained on. */
static int trained_label(layer l, const place *at, int i)
{
    ols_target_spec spec = {0};
    spec.disturb = l.label_smoothing->options.smoothing == OLS_DISTURB ? l.label_smoothing->options.disturb_alpha : 0;
    return ols_draw_class(&spec, CLASSES, at->labels[i], (uint64_t)entry(l, at, 0) * CLASSES + at->labels[i]);
}

/* The loss of a place from its definition, with the scores that the head outputs. */
static double place_loss(layer l, const weights *w, const place *at)
{
    double loss = method_loss(l, w, at, trained_label(l, at, at->objects - 1));
    int i, k, first = l.softmax || l.type == DETECTION ? at->objects - 1 : 0; /* softmax: the last object only */
    for (k = 0; k < CLASSES; ++k) {
        double p = l.output[entry(l, at, k)], larger = -1, chosen = 0;
        for (i = first; i < at->objects; ++i) {
            const int label = trained_label(l, at, i);
            const double *row = w->rows[label], one = k == label, sum = row[0] + row[1] + row[2] + row[3];
            double soft = sum > 0 ? w->soft : 0, q = w->hard * one + soft * row[k];
            if (q <= larger) continue;
            larger = q;
            chosen = w->is_one_target ? term(l, q, p) : w->hard * term(l, one, p) + soft * term(l, row[k], p);
        }
        loss += chosen;
    }
    return l.class_scale * loss;
}

static double loss_of(network *net, const weights *w, const golden_pass *p)
{
    double loss = 0;
    int i;
    forward(net);
    for (i = 0; i < p->place_count; ++i) loss += place_loss(net->layers[p->places[i].layer], w, p->places + i);
    return loss;
}

/* The derivative of the loss by *x, by differences of fourth order, because with float scores the step must be
 * large. */
static double slope(network *net, const weights *w, const golden_pass *p, float *x)
{
    static const int steps[] = {-2, -1, 1, 2};
    const float at = *x, h = .04f;
    double loss[4];
    int i;
    for (i = 0; i < 4; ++i) {
        *x = at + steps[i] * h;
        loss[i] = loss_of(net, w, p);
    }
    *x = at;
    return (loss[0] - 8 * loss[1] + 8 * loss[2] - loss[3]) / (12 * h);
}

/* The gradient at the network's input is the negative derivative of the papers' loss. Checked at every class score of
 * the first image, trained or not, by finite differences through Darknet's own activations. */
static void gradient_case(void **test)
{
    golden *g = read_golden((const char *)*test);
    network *net = network_of_golden(g);
    const golden_pass *p = g->passes;
    const weights w = weights_of(net);
    double largest = 0;
    int i, n = net->inputs, passes = 0;
    layer head = last_layer(net);
    put_pass(net, g, p);
    assert_close(loss_of(net, &w, p), p->loss, 1e-5 * p->loss);
    hush();
    backward_network(net);
    unhush();
    for (i = 0; i < n; ++i) {
        double expected;
        float arrived = net->delta[i];
        if (!(is_head(net->layers[0]) ? is_class_entry(head, i) : i / (net->w * net->h) % (5 + CLASSES) >= 5)) continue;
        expected = -slope(net, &w, p, net->input + i);
        if (!(fabs(arrived - expected) <= 2e-4))
            fail_msg("input %d: delta %.6g arrives, by finite differences it is %.6g", i, arrived, expected);
        if (fabs(expected) > largest) largest = fabs(expected);
        ++passes;
    }
    assert_true(largest > .1 && passes > CLASSES); /* otherwise the test would show nothing */
    free_all(net);
    free_golden(g);
}

/* ---- Beside the golden values ------------------------------------------------------------------------------------ */

/* A cell of v1 with two classes has no single label, so there is nothing to smooth. */
static void a_cell_with_two_classes_keeps_darknets_delta_and_counts_nothing(void **state)
{
    golden *g = read_golden("detection-linear-ols");
    network *net = network_of_golden(g), *plain = network_of(g->plain_cfg);
    layer l = last_layer(net), other = last_layer(plain);
    ols_state *s = soft_labels_owner(net, 0)->state;
    int cell = 4, truth = cell * (1 + CLASSES + 4), k, i;
    object o = {0, 1, .5f, .5f, .4f, .3f};
    (void)state;
    memcpy(net->input, g->passes[0].input, net->inputs * net->batch * sizeof(float));
    memcpy(plain->input, net->input, net->inputs * net->batch * sizeof(float));
    for (i = 0; i < 2; ++i) {
        network *n = i ? plain : net;
        memset(n->truth, 0, (size_t)n->truths * n->batch * sizeof(float));
        put_object(n, n->truth, 0, o);
        assert_true(n->truth[truth] == 1 && n->truth[truth + 2] == 1);
        n->truth[truth + 4] = 1; /* class 3 besides class 1 */
        forward(n);
    }
    assert_memory_equal(l.delta, other.delta, (size_t)l.outputs * l.batch * sizeof(float));
    for (k = 0; k < CLASSES; ++k) assert_int_equal(s->seen[k], 0);
    for (k = 0; k < CLASSES * CLASSES; ++k) assert_true(s->A[k] == 0);
    free_all(net);
    free_network(plain);
    free_golden(g);
}

/* ---- The program ------------------------------------------------------------------------------------------------- */

static void every_case_of_the_file_is_replayed(void **test);

#define CASE(name)                                                                                                     \
    {"golden values: " name, golden_case, 0, 0, (void *)name},                                                         \
    {                                                                                                                  \
        "gradient by finite differences: " name, gradient_case, 0, 0, (void *)name                                     \
    }

static const struct CMUnitTest tests[] = {
    CASE("yolo-hard"),
    CASE("yolo-ls"),
    CASE("yolo-ols"),
    CASE("yolo-alpha"),
    CASE("yolo-soft-weight"),
    CASE("yolo-init-zero"),
    CASE("yolo-start"),
    CASE("yolo-hits"),
    CASE("yolo-truth-thresh"),
    CASE("yolo-two-heads"),
    CASE("yolo-paper"),
    CASE("yolo-class-gain"),
    CASE("yolo-softmax-hard"),
    CASE("yolo-softmax-ls"),
    CASE("yolo-softmax-ols"),
    CASE("yolo-softmax-soft-weight"),
    CASE("yolo-iou-thresh"),
    CASE("yolo-softmax-iou-thresh"),
    CASE("region-softmax-hard"),
    CASE("region-softmax-ls"),
    CASE("region-softmax-ols"),
    CASE("region-softmax-hits"),
    CASE("region-softmax-soft-weight"),
    CASE("region-softmax-no-bias-match"),
    CASE("region-sigmoid-hard"),
    CASE("region-sigmoid-ls"),
    CASE("region-sigmoid-ols"),
    CASE("region-sigmoid-hits"),
    CASE("detection-linear-hard"),
    CASE("detection-linear-ls"),
    CASE("detection-linear-ols"),
    CASE("detection-linear-soft-weight"),
    CASE("detection-linear-hits"),
    CASE("detection-softmax-hard"),
    CASE("detection-softmax-ols"),
    CASE("yolo-single"),
    CASE("yolo-bootsoft"),
    CASE("yolo-boothard"),
    CASE("yolo-disturb"),
    CASE("yolo-tfkd"),
    CASE("yolo-softmax-bootsoft"),
    CASE("yolo-softmax-sce"),
    CASE("region-softmax-gce"),
    CASE("region-softmax-tfkd"),
    CASE("region-sigmoid-boothard"),
    CASE("detection-linear-boothard"),
    CASE("detection-linear-disturb"),
    CASE("detection-softmax-bootsoft"),
    cmocka_unit_test(a_cell_with_two_classes_keeps_darknets_delta_and_counts_nothing),
    cmocka_unit_test(every_case_of_the_file_is_replayed),
};

static void every_case_of_the_file_is_replayed(void **test)
{
    FILE *file = open_golden("heads.txt");
    char word[16], *text;
    int cases = 0;
    (void)test;
    while ((text = next_line(file, word))) {
        size_t i;
        int found = 0;
        if (strcmp(word, "case")) continue;
        *strchr(text, ' ') = 0;
        for (i = 0; i < COUNT(tests); ++i)
            found += tests[i].initial_state && !strcmp((const char *)tests[i].initial_state, text);
        if (found != 2) fail_msg("%d tests of case %s", found, text);
        ++cases;
    }
    assert_true(cases > 0);
    fclose(file);
}

int main(int argc, char **argv)
{
    (void)argc;
    begin_network_tests(argv);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
