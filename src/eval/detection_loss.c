#include "eval/detection_loss.h"

#include "base/memory.h"
#include "data/label_file.h"
#include "layers/class_head.h"
#include "layers/device.h"

#include <stdlib.h>

/* In a grid, training leaves out more boxes (fill_truth_region in Darknet's data.c). */
static const float smallest_side_in_grid = .005f;

/* [region] reads this many objects, whatever its max= is. */
enum { REGION_OBJECTS = 30, OBJECT = 5 };

const char *detection_loss_problem(const network *net)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        if (!is_detection_head(&net->layers[i])) continue;
        if (!i) return "its first layer is a head";
        if (net->layers[i].coords > 4) return "a head with coords= above 4 needs masks, which label files do not have";
    }
    return 0;
}

/* Where the image lies in the network's input, in pixels of it (letterbox_image in Darknet's image.c). */
typedef struct {
    int x, y, w, h, input_w, input_h;
} placement;

static placement place_image(const network *net, int w, int h, int letterbox)
{
    placement p = {0, 0, net->w, net->h, net->w, net->h};
    if (!letterbox) return p;
    if ((float)net->w / w < (float)net->h / h)
        p.h = h * net->w / w;
    else
        p.w = w * net->h / h;
    p.x = (net->w - p.w) / 2;
    p.y = (net->h - p.h) / 2;
    return p;
}

static float cut(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : (float)x;
}

/* An object's box in fractions of the input, cut at its edges. */
static box box_in_input(const ap_object *object, const placement *p)
{
    const ap_box *b = &object->box;
    const float left = cut(((b->x - b->w / 2) * p->w + p->x) / p->input_w);
    const float right = cut(((b->x + b->w / 2) * p->w + p->x) / p->input_w);
    const float top = cut(((b->y - b->h / 2) * p->h + p->y) / p->input_h);
    const float bottom = cut(((b->y + b->h / 2) * p->h + p->y) / p->input_h);
    box result = {(left + right) / 2, (top + bottom) / 2, right - left, bottom - top};
    return result;
}

/* The truth of a [detection]: for every cell whether it has an object, a one-hot class, and a box whose centre is in
 * fractions of the cell. The first object in a cell has it. */
static float *truth_of_grid(const layer *l, const ap_object *objects, size_t count, const placement *p)
{
    const int cell_size = 1 + l->classes + 4;
    float *truth = (float *)xcalloc((size_t)l->side * l->side * cell_size, sizeof *truth);
    size_t i;
    for (i = 0; i < count; ++i) {
        const box b = box_in_input(objects + i, p);
        const int column = (int)(b.x * l->side), row = (int)(b.y * l->side);
        float *cell = truth + (column + row * l->side) * cell_size, *place = cell + 1 + l->classes;
        if (objects[i].difficult || b.w < smallest_side_in_grid || b.h < smallest_side_in_grid || *cell) continue;
        cell[0] = 1;
        cell[1 + objects[i].class_id] = 1;
        place[0] = b.x * l->side - column;
        place[1] = b.y * l->side - row;
        place[2] = b.w;
        place[3] = b.h;
    }
    return truth;
}

/* The truth of a [yolo] or [region]: x, y, w, h and class of every object, and zeros at the end. */
static float *truth_of_boxes(const layer *l, const ap_object *objects, size_t count, const placement *p)
{
    const int most = l->type == REGION ? REGION_OBJECTS : l->max_boxes;
    float *truth = (float *)xcalloc((size_t)(most + 1) * OBJECT, sizeof *truth), *object = truth;
    size_t i;
    for (i = 0; i < count && object < truth + most * OBJECT; ++i) {
        const box b = box_in_input(objects + i, p);
        if (objects[i].difficult || b.w < LABEL_SMALLEST_SIDE || b.h < LABEL_SMALLEST_SIDE) continue;
        object[0] = b.x;
        object[1] = b.y;
        object[2] = b.w;
        object[3] = b.h;
        object[4] = (float)objects[i].class_id;
        object += OBJECT;
    }
    return truth;
}

/* Runs a head once more, as in training, and lets it write to other memory. On a GPU the outputs of [yolo] and [region]
 * are activated already, and Darknet's functions for the CPU then take them as they are. */
static float loss_of_head(const network *net, int index, float *truth)
{
    static size_t seen = (size_t)1 << 40; /* behind the special beginnings of [region] and [detection] */
    network copy = *net;
    layer head = net->layers[index];
    float cost = 0;
    copy.train = copy.quiet = 1;
    copy.index = index;
    copy.seen = &seen;
    copy.truth = truth;
    copy.input = on_gpu(*net) ? head.output : net->layers[index - 1].output;
    head.label_smoothing = 0;
    if (head.type == YOLO) head.class_scale = head.thresh = 1; /* class_gain= and iou_thresh= */
    head.cost = &cost;
    head.output = (float *)xcalloc(head.outputs, sizeof *head.output);
    head.delta = (float *)xcalloc(head.outputs, sizeof *head.delta);
    head.forward(head, copy);
    free(head.output);
    free(head.delta);
    return cost;
}

double detection_loss(const network *net, const ap_object *objects, size_t count, int w, int h, int letterbox)
{
    const placement p = place_image(net, w, h, letterbox);
    double sum = 0;
    int i, heads = 0;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        float *truth;
        if (!is_detection_head(l)) continue;
        truth = (l->type == DETECTION ? truth_of_grid : truth_of_boxes)(l, objects, count, &p);
        sum += loss_of_head(net, i, truth);
        free(truth);
        ++heads;
    }
    return sum / heads;
}
