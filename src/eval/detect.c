/* See detect.h. With several sizes, images are processed in groups: a whole group at the first size, then at the next.
 * So the network is resized once per group and size, each image is decoded once, and memory holds the inputs and the
 * boxes before NMS of one group only. */
#include "eval/detect.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "data/photo.h"
#include "layers/class_head.h"
#include "layers/scale_channels_layer.h"

#include "network.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Images that are loaded in the background, as many as in Darknet's validate_detector. */
enum { LOADERS = 4 };

enum { SCALES = sizeof((detect_options *)0)->scales / sizeof(int) };

/* Limits of a group: its images, and the bytes of their inputs at all sizes. */
enum { LARGEST_GROUP = 64, GROUP_BYTES = 256 << 20 };

ap_detection *add_detection(detect_result *to)
{
    to->detections = (ap_detection *)grow_array(to->detections, to->count, &to->capacity, sizeof *to->detections);
    return (ap_detection *)memset(&to->detections[to->count++], 0, sizeof *to->detections);
}

/* ---- The network ------------------------------------------------------------------------------------------------ */

/* The requirements of load_detector. Sets *classes. Returns 0, or 1 after one line on stderr. */
static int check_detector(const network *net, const char *cfg, int *classes)
{
    int i, heads = 0, stretched = 0;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (!is_detection_head(l)) continue;
        if (heads && l->classes != *classes)
            return report_error("%s: heads of %d and of %d classes: must be the same", cfg, *classes, l->classes);
        *classes = l->classes;
        stretched += l->type == DETECTION;
        ++heads;
    }
    if (!heads) return report_error("%s has no [yolo], [region] or [detection] section", cfg);
    if (stretched && stretched != heads)
        return report_error("%s: [detection] beside other heads is not supported", cfg);
    /* make_network_boxes gives its boxes as many classes as the last layer has */
    if (!is_detection_head(&net->layers[net->n - 1])) return report_error("%s: the last section must be a head", cfg);
    if (net->c != 3) return report_error("%s: channels=%d: must be 3", cfg, net->c);
    return 0;
}

network *load_detector(char *cfg_file, char *weights_file, int *classes)
{
    network *net = load_network(cfg_file, weights_file, 0);
    set_batch_network(net, 1);
    if (!check_detector(net, cfg_file, classes)) return net;
    free_network(net);
    return 0;
}

static int has_detection_head(const network *net)
{
    return net->layers[net->n - 1].type == DETECTION;
}

int detect_letterbox(const network *net, const detect_options *options)
{
    return options->letterbox < 0 ? !has_detection_head(net) : options->letterbox != 0;
}

float highest_score(const detection *boxes, int count, int classes, int *class_id)
{
    float highest = 0;
    int i, k;
    for (i = 0; i < count; ++i) {
        for (k = 0; k < classes; ++k) {
            if (boxes[i].prob[k] <= highest) continue;
            highest = boxes[i].prob[k];
            *class_id = k;
        }
    }
    return highest;
}

float highest_score_of_output(network *net, int w, int h, int *class_id)
{
    detection *boxes;
    float highest;
    int i, count = 0;
    for (i = 0; i < net->n; ++i)
        if (net->layers[i].softmax_tree) return -1;
    boxes = get_network_boxes(net, w, h, 0, .5, 0, 1, &count);
    highest = highest_score(boxes, count, net->layers[net->n - 1].classes, class_id);
    free_detections(boxes, count);
    return highest;
}

int heads_are_finite(const network *net)
{
    int i, k;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (!is_detection_head(l)) continue;
        for (k = 0; k < l->outputs; ++k) {
            if (!isfinite(l->output[k])) return 0;
        }
    }
    return 1;
}

/* ---- Its sizes -------------------------------------------------------------------------------------------------- */

int network_stride(const network *net)
{
    double *scale = (double *)xcalloc(net->n, sizeof *scale), most = 1; /* by layer: stride in pixels of the input */
    int i;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        double before = !i ? 1 : l->type == ROUTE ? scale[l->input_layers[0]] : scale[i - 1];
        int shrinks = l->type == CONVOLUTIONAL || l->type == MAXPOOL || (l->type == REORG && !l->reverse) ||
                      (l->type == UPSAMPLE && l->reverse);
        int grows = (l->type == REORG && l->reverse) || (l->type == UPSAMPLE && !l->reverse);
        if (shrinks && l->stride > 1) before *= l->stride;
        if (grows && l->stride > 1) before /= l->stride;
        scale[i] = before;
        if (before > most) most = before;
    }
    free(scale);
    return (int)(most + .5);
}

detect_size detect_scale(const network *net, int scale)
{
    const int longer = net->w > net->h ? net->w : net->h, shorter = net->w > net->h ? net->h : net->w;
    const int stride = network_stride(net);
    int other = (int)floor((double)scale * shorter / longer / stride + .5) * stride;
    detect_size size = {scale, scale};
    if (other < stride) other = stride;
    if (scale == longer) other = shorter;
    if (shorter == longer) other = scale;
    if (net->w < net->h)
        size.w = other;
    else
        size.h = other;
    return size;
}

/* Computes the output size of layer k after a resize of the network, as Darknet's resize functions do, from the sizes
 * of the layers before it. Returns null, or why layer k cannot be resized: Darknet itself would end the program or
 * continue with an empty layer. */
static const char *resized(const network *net, int k, const detect_size *sizes, detect_size input, detect_size *output)
{
    const layer *l = &net->layers[k];
    int i;
    *output = input;
    switch (l->type) {
    case CONVOLUTIONAL:
        output->w = (input.w + 2 * l->pad - l->size) / l->stride + 1;
        output->h = (input.h + 2 * l->pad - l->size) / l->stride + 1;
        if (input.w + 2 * l->pad < l->size || input.h + 2 * l->pad < l->size) return "its input is too small";
        /* an assertion in Darknet, on the workspace of its im2col convolution */
        if ((double)output->w * output->h * l->size * l->size * l->c / l->groups * sizeof(float) > 2e9)
            return "it would need more than 2 GB at that size";
        break;
    case MAXPOOL:
        output->w = (input.w + l->pad - l->size) / l->stride + 1;
        output->h = (input.h + l->pad - l->size) / l->stride + 1;
        if (input.w + l->pad < l->size || input.h + l->pad < l->size) return "its input is too small";
        break;
    case UPSAMPLE:
    case REORG:
        if (l->type == REORG && l->extra) return "Darknet cannot resize it with extra=";
        if ((l->type == UPSAMPLE) != l->reverse) {
            output->w = input.w * l->stride;
            output->h = input.h * l->stride;
        } else {
            if (input.w % l->stride || input.h % l->stride) return "its input is no multiple of its stride";
            output->w = input.w / l->stride;
            output->h = input.h / l->stride;
        }
        break;
    case ROUTE:
        *output = sizes[l->input_layers[0]];
        for (i = 1; i < l->n; ++i) {
            const detect_size other = sizes[l->input_layers[i]];
            if (other.w != output->w || other.h != output->h) return "the layers that it joins differ in size";
        }
        break;
    case SHORTCUT:
        if (l->w != l->out_w || l->h != l->out_h || sizes[l->index].w != input.w || sizes[l->index].h != input.h)
            return "the layers that it adds differ in size";
        break;
    case AVGPOOL:
        if (!scales_channels_after(net, k)) return "Darknet cannot resize such a layer";
        output->w = output->h = 1;
        break;
    case SCALE_CHANNELS:
        *output = sizes[l->index];
        if (l->scale_wh && (output->w != input.w || output->h != input.h))
            return "the layers that it multiplies differ in size";
        break;
    case YOLO:
    case REGION:
    case NORMALIZATION:
        break;
    default:
        return "Darknet cannot resize such a layer";
    }
    return output->w > 0 && output->h > 0 && (double)output->w * output->h * l->out_c <= INT_MAX / 8
               ? 0
               : "its output would be empty, or too large";
}

static int check_scale(const network *net, int scale)
{
    const int longer = net->w > net->h ? net->w : net->h, stride = network_stride(net);
    detect_size *sizes, input;
    int k, status = 0;
    if (scale < 1 || scale > 1 << 16) return report_error("scale %d: must be at least %d", scale, stride);
    if (scale % stride && scale != longer)
        return report_error("scale %d: must be a multiple of %d, the network's largest stride", scale, stride);
    input = detect_scale(net, scale);
    sizes = (detect_size *)xcalloc(net->n, sizeof *sizes);
    for (k = 0; k < net->n && !status; ++k) {
        const char *reason = resized(net, k, sizes, k ? sizes[k - 1] : input, &sizes[k]);
        if (reason)
            status =
                report_error("scale %d: layer %d, [%s]: %s", scale, k, get_layer_string(net->layers[k].type), reason);
    }
    free(sizes);
    return status;
}

int detect_check(const network *net, const detect_options *options)
{
    int i, k;
    if (options->scale_count < 0 || options->scale_count > SCALES)
        return report_error("%d scales: must be %d at most", options->scale_count, (int)SCALES);
    for (i = 0; i < options->scale_count; ++i) {
        for (k = 0; k < i; ++k) {
            if (options->scales[i] == options->scales[k])
                return report_error("scale %d: given twice", options->scales[i]);
        }
        if (check_scale(net, options->scales[i])) return 1;
    }
    return 0;
}

static void resize_to(network *net, detect_size size)
{
    if (net->w != size.w || net->h != size.h) resize_network(net, size.w, size.h);
}

/* ---- Loading images --------------------------------------------------------------------------------------------- */

typedef struct {
    int letterbox; /* 1: keep the aspect ratio and pad with grey; 0: stretch */
    int scales;
    detect_size scale[SCALES];
} input_sizes;

typedef struct {
    pthread_t thread;
    int running;
    char *path;
    const input_sizes *sizes;
    image inputs[SCALES]; /* scale.w x scale.h x 3; data is null if not loaded */
    int w, h;             /* of the file */
    const char *error;
} loader;

/* Thread function: fills in `inputs`, `w`, `h`, `error` of the loader. */
static void *load_inputs(void *argument)
{
    loader *l = (loader *)argument;
    photo decoded;
    image im;
    int s;
    memset(l->inputs, 0, sizeof l->inputs);
    l->error = photo_decode(l->path, &decoded) ? 0 : "not an image that can be decoded";
    if (l->error) return 0;
    im = photo_to_image(decoded);
    photo_close(decoded);
    l->w = im.w;
    l->h = im.h;
    for (s = 0; s < l->sizes->scales && !l->error; ++s) {
        const int w = l->sizes->scale[s].w, h = l->sizes->scale[s].h;
        /* a side of one pixel makes resize_image read out of bounds; a side of 0 would later be a division by 0 */
        if (w < 2 || h < 2 || (l->sizes->letterbox && ((long)im.w * h < 2l * im.h || (long)im.h * w < 2l * im.w)))
            l->error = "too long and thin for the network's input";
        else if (l->sizes->letterbox)
            l->inputs[s] = letterbox_image(im, w, h);
        else
            l->inputs[s] = resize_image(im, w, h);
    }
    free_image(im);
    return 0;
}

static int start_loading(loader *l, char *path, const input_sizes *sizes)
{
    l->path = path;
    l->sizes = sizes;
    if (pthread_create(&l->thread, 0, load_inputs, l)) return report_error("cannot start a thread");
    l->running = 1;
    return 0;
}

static void wait_for_loader(loader *l)
{
    if (l->running) pthread_join(l->thread, 0);
    l->running = 0;
}

static void free_input(loader *l, int scale)
{
    free_image(l->inputs[scale]);
    l->inputs[scale].data = 0;
}

/* ---- One pass --------------------------------------------------------------------------------------------------- */

/* Converts a box from fractions of the network's input to fractions of the image inside its grey borders, as
 * correct_yolo_boxes does. */
static ap_box undo_letterbox(ap_box box, int w, int h, int net_w, int net_h)
{
    const int by_width = (float)net_w / w < (float)net_h / h;
    const int inner_w = by_width ? net_w : w * net_h / h, inner_h = by_width ? h * net_w / w : net_h;
    box.x = (box.x * net_w - (net_w - inner_w) / 2.f) / inner_w;
    box.y = (box.y * net_h - (net_h - inner_h) / 2.f) / inner_h;
    box.w *= (float)net_w / inner_w;
    box.h *= (float)net_h / inner_h;
    return box;
}

typedef struct {
    const detect_options *options;
    int classes, letterbox;
    int mirrored; /* whether the input is mirrored */
    float nms;    /* 0: no NMS here, because the boxes of several passes are merged later */
} pass;

/* Runs the network on one input and appends its detections. Returns null, or what went wrong. */
static const char *run_pass(network *net, const pass *p, const loader *l, float *input, int image, detect_result *found)
{
    const char *error = 0;
    const int detection_head = has_detection_head(net);
    int w = net->w, h = net->h, boxes = 0, i, k;
    detection *dets;
    network_predict(net, input);
    if (!heads_are_finite(net)) return "the output is not finite: weights that are untrained or have diverged";
    if (p->options->seen) p->options->seen(p->options->context, net, image, l->w, l->h);
    /* [yolo] and [region] undo the letterbox of an image of w x h themselves; for a stretched image w x h is the size
     * of the input, and there is nothing to undo. get_detection_detections does not undo it, and always multiplies by w
     * and h, whatever `relative` is. */
    if (detection_head)
        w = h = 1;
    else if (p->letterbox)
        w = l->w, h = l->h;
    dets = get_network_boxes(net, w, h, DETECT_LOWEST_SCORE, .5, 0, 1, &boxes);
    if (p->nms > 0 && boxes) do_nms_sort(dets, boxes, p->classes, p->nms);
    for (i = 0; i < boxes && !error; ++i) {
        ap_box box = {dets[i].bbox.x, dets[i].bbox.y, dets[i].bbox.w, dets[i].bbox.h};
        if (detection_head && p->letterbox) box = undo_letterbox(box, l->w, l->h, net->w, net->h);
        if (p->mirrored) box.x = 1 - box.x;
        box.x *= l->w;
        box.y *= l->h;
        box.w *= l->w;
        box.h *= l->h;
        for (k = 0; k < p->classes && !error; ++k) {
            ap_detection *d;
            if (!(dets[i].prob[k] > 0)) continue;
            d = add_detection(found);
            d->image = image;
            d->class_id = k;
            d->box = box;
            d->score = dets[i].prob[k];
            if (!isfinite(box.x) || !isfinite(box.y) || !isfinite(box.w) || !isfinite(box.h))
                error = "a box is not finite: weights that are untrained or have diverged";
        }
    }
    free_detections(dets, boxes);
    return error;
}

/* ---- Merging the passes of an image ----------------------------------------------------------------------------- */

typedef struct {
    int class_id;
    float score;
    size_t index; /* among the candidates */
} ranked;

/* By class, then falling score, then index. No two compare equal, so the result is the same with every qsort. */
static int by_rank(const void *pa, const void *pb)
{
    const ranked *a = (const ranked *)pa, *b = (const ranked *)pb;
    if (a->class_id != b->class_id) return a->class_id < b->class_id ? -1 : 1;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* NMS over all candidates of one image. Appends those that are kept to `found`, in their order among the candidates. */
static void merge(const detect_result *candidates, double nms, detect_result *found)
{
    const size_t n = candidates->count;
    const ap_detection *c = candidates->detections;
    ranked *order = (ranked *)xcalloc(n, sizeof *order);
    char *dropped = (char *)xcalloc(n, 1); /* by index of the candidate */
    size_t i, j;
    for (i = 0; i < n; ++i) {
        order[i].class_id = c[i].class_id;
        order[i].score = c[i].score;
        order[i].index = i;
    }
    qsort(order, n, sizeof *order, by_rank);
    for (i = 0; i < n && nms > 0; ++i) {
        const ap_detection *best = &c[order[i].index];
        if (dropped[order[i].index]) continue;
        for (j = i + 1; j < n && order[j].class_id == best->class_id; ++j) {
            char *drop = &dropped[order[j].index];
            if (!*drop && ap_iou(best->box, c[order[j].index].box) > nms) *drop = 1;
        }
    }
    for (i = 0; i < n; ++i) {
        if (!dropped[i]) *add_detection(found) = c[i];
    }
    free(order);
    free(dropped);
}

/* ---- All images ------------------------------------------------------------------------------------------------- */

/* State of detect_images. Image i of the list uses loaders[i % slots]; slots = group + LOADERS, so the images of a
 * group and those that are loaded for the next one do not share a loader. */
typedef struct {
    network *net;
    char **paths;
    int count;
    const detect_options *options;
    input_sizes sizes;
    pass how;
    int one_pass, group, slots;
    loader *loaders;
    detect_result *candidates; /* [group]: boxes of all passes over each image */
    progress progress;
} run;

static loader *loader_of(run *r, int image)
{
    return &r->loaders[image % r->slots];
}

static void begin_run(run *r)
{
    const detect_options *o = r->options;
    double pixels = 0, images;
    int s;
    r->sizes.letterbox = detect_letterbox(r->net, o);
    r->sizes.scales = o->scale_count ? o->scale_count : 1;
    r->sizes.scale[0].w = r->net->w;
    r->sizes.scale[0].h = r->net->h;
    for (s = 0; s < o->scale_count; ++s) r->sizes.scale[s] = detect_scale(r->net, o->scales[s]);
    for (s = 0; s < r->sizes.scales; ++s) pixels += (double)r->sizes.scale[s].w * r->sizes.scale[s].h;

    r->one_pass = r->sizes.scales == 1 && !o->flip;
    r->how.letterbox = r->sizes.letterbox;
    r->how.nms = r->one_pass ? o->nms : 0;
    images = GROUP_BYTES / (3 * sizeof(float) * pixels) - LOADERS;
    r->group = r->sizes.scales == 1 || images < 1 ? 1 : images < LARGEST_GROUP ? (int)images : LARGEST_GROUP;
    r->slots = r->group + LOADERS;
    r->loaders = (loader *)xcalloc(r->slots, sizeof *r->loaders);
    r->candidates = (detect_result *)xcalloc(r->group, sizeof *r->candidates);

    progress_begin(&r->progress, r->one_pass ? "images" : "passes",
                   (size_t)r->count * r->sizes.scales * (o->flip ? 2 : 1), r->count * pixels * (o->flip ? 2 : 1), 0);
}

/* Runs the passes over one image at one size: one, or two with flip. Returns null, or what went wrong. */
static const char *run_scale(run *r, int i, int scale, detect_result *to)
{
    loader *l = loader_of(r, i);
    const image input = l->inputs[scale];
    const char *error = 0;
    for (r->how.mirrored = 0; r->how.mirrored <= (r->options->flip != 0) && !error; ++r->how.mirrored) {
        /* Mirror the padded input, not the image: if the grey borders differ by a pixel, mirroring the boxes back is
         * still exact. */
        if (r->how.mirrored) flip_image(input);
        error = run_pass(r->net, &r->how, l, input.data, i, to);
        if (!error) progress_step(&r->progress, (double)input.w * input.h);
    }
    free_input(l, scale);
    return error;
}

/* Runs images first..last-1 at each size, one size after the other. During the first size it waits for each image to be
 * loaded, and starts to load another one. */
static int run_group(run *r, int first, int last, detect_result *found, detect_size *sizes)
{
    int i, s, status = 0;
    for (s = 0; s < r->sizes.scales && !status; ++s) {
        resize_to(r->net, r->sizes.scale[s]);
        for (i = first; i < last && !status; ++i) {
            loader *l = loader_of(r, i);
            const char *error;
            if (!s) {
                wait_for_loader(l);
                sizes[i].w = l->w;
                sizes[i].h = l->h;
                if (i + LOADERS < r->count)
                    status = start_loading(loader_of(r, i + LOADERS), r->paths[i + LOADERS], &r->sizes);
            }
            error = l->error;
            if (!status && !error) error = run_scale(r, i, s, r->one_pass ? found : &r->candidates[i - first]);
            if (!status && error) {
                progress_end(&r->progress);
                status = report_error("%s: %s", l->path, error);
            }
        }
    }
    for (i = first; i < last && !status && !r->one_pass; ++i) {
        detect_result *candidates = &r->candidates[i - first];
        merge(candidates, r->options->nms, found);
        candidates->count = 0;
    }
    return status;
}

static void end_run(run *r)
{
    int i, s;
    for (i = 0; i < r->slots; ++i) {
        wait_for_loader(&r->loaders[i]);
        for (s = 0; s < SCALES; ++s) free_input(&r->loaders[i], s);
    }
    for (i = 0; i < r->group; ++i) free(r->candidates[i].detections);
    free(r->loaders);
    free(r->candidates);
    progress_end(&r->progress);
}

int detect_images(network *net, int classes, char **paths, int count, const detect_options *options,
                  detect_result *found, detect_size *sizes)
{
    const detect_size own = {net->w, net->h};
    run r;
    int i, status = 0;
    if (detect_check(net, options)) return 1;
    memset(&r, 0, sizeof r);
    r.net = net;
    r.paths = paths;
    r.count = count;
    r.options = options;
    r.how.classes = classes;
    r.how.options = options;
    begin_run(&r);
    for (i = 0; i < LOADERS && i < count && !status; ++i) status = start_loading(loader_of(&r, i), paths[i], &r.sizes);
    for (i = 0; i < count && !status; i += r.group)
        status = run_group(&r, i, i + r.group < count ? i + r.group : count, found, sizes);
    end_run(&r);
    resize_to(net, own);
    return status;
}
