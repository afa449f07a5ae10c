#include "eval/library.h"

#include "data/photo.h"
#include "eval/detect.h"
#include "layers/class_head.h"

#include "network.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* of Darknet's yolo_layer.c; no header declares it */
void correct_yolo_boxes(detection *dets, int n, int w, int h, int netw, int neth, int relative);

int library_gpus(void)
{
#ifdef GPU
    int devices = 0;
    return cudaGetDeviceCount(&devices) == cudaSuccess ? devices : 0;
#else
    return -1;
#endif
}

void library_use_gpu(int index)
{
#ifdef GPU
    cuda_set_device(index);
#else
    gpu_index = -1;
    (void)index;
#endif
}

/* ---- What a network is ------------------------------------------------------------------------------------------ */

int library_network_batch(const network *net)
{
    return net->batch;
}

int library_network_channels(const network *net)
{
    return net->c;
}

int library_network_inputs(const network *net)
{
    return net->inputs;
}

int library_network_outputs(const network *net)
{
    return net->outputs;
}

int library_network_classes(const network *net)
{
    const layer *last = &net->layers[net->n - 1];
    return is_detection_head(last) ? last->classes : net->outputs;
}

int library_network_layers(const network *net)
{
    return net->n;
}

const char *library_layer_type(const network *net, int i)
{
    switch (net->layers[i].type) {
    /* get_layer_string has no name for these */
    case UPSAMPLE:
        return "upsample";
    case L2NORM:
        return "l2norm";
    case LOGXENT:
        return "logistic";
    case ISEG:
        return "iseg";
    default:
        return get_layer_string(net->layers[i].type);
    }
}

/* ---- Images ----------------------------------------------------------------------------------------------------- */

unsigned char *library_load_image(const char *path, int *w, int *h)
{
    photo p;
    if (!photo_decode(path, &p)) return 0;
    *w = p.w;
    *h = p.h;
    return (unsigned char *)p.bytes;
}

void library_free(void *bytes)
{
    free(bytes);
}

void library_letterbox(const network *net, const float *pixels, int w, int h, int c, float *input)
{
    image im = {w, h, c, (float *)pixels}; /* letterbox_image only reads it */
    image boxed = letterbox_image(im, net->w, net->h);
    memcpy(input, boxed.data, (size_t)boxed.w * boxed.h * boxed.c * sizeof *input);
    free_image(boxed);
}

/* ---- Results ---------------------------------------------------------------------------------------------------- */

void library_leaf_probabilities(const network *net, float *predictions)
{
    if (net->hierarchy) hierarchy_predictions(predictions, net->outputs, net->hierarchy, 1, 1);
}

const char *library_cannot_detect(const network *net)
{
    const layer *last = &net->layers[net->n - 1];
    int i;
    /* make_network_boxes gives every detection as many scores as the last layer has classes */
    if (!is_detection_head(last)) return "it does not end in [yolo], [region] or [detection]";
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (!is_detection_head(l)) continue;
        if (l->classes != last->classes) return "its heads differ in their number of classes";
        if ((l->type == DETECTION) != (last->type == DETECTION)) return "it has [detection] beside other heads";
    }
    return net->c == 3 ? 0 : "it does not take images with 3 channels";
}

/* Makes the heads' output pointers refer to image b only, with batch 1; sign = -1 restores them. Needed because Darknet
 * reads boxes from the first image of a batch only, and takes a batch of two for an image and its mirror image. */
static void move_heads(network *net, int b, int sign, int batch)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        layer *l = &net->layers[i];
        if (!is_detection_head(l)) continue;
        l->output += (ptrdiff_t)sign * b * l->outputs;
        l->batch = batch;
    }
}

detection *library_detect(network *net, int b, int w, int h, float thresh, float hier, float nms, int *count)
{
    const int v1 = net->layers[net->n - 1].type == DETECTION, batch = net->batch;
    detection *found = 0;
    *count = 0;
    move_heads(net, b, 1, 1);
    /* [detection]: get_detection_detections always multiplies by w and h, whatever `relative` is, and assumes a
     * stretched image. The other heads undo the letterbox themselves. */
    if (heads_are_finite(net)) found = get_network_boxes(net, v1 ? 1 : w, v1 ? 1 : h, thresh, hier, 0, 1, count);
    move_heads(net, b, -1, batch);
    if (found && v1) correct_yolo_boxes(found, *count, w, h, net->w, net->h, 1);
    if (found && nms > 0) do_nms_sort(found, *count, library_network_classes(net), nms);
    return found;
}

void library_take_detections(const network *net, detection *found, int count, float *rows)
{
    const int classes = library_network_classes(net);
    int i;
    for (i = 0; i < count; ++i, rows += 4 + classes) {
        rows[0] = found[i].bbox.x;
        rows[1] = found[i].bbox.y;
        rows[2] = found[i].bbox.w;
        rows[3] = found[i].bbox.h;
        memcpy(rows + 4, found[i].prob, classes * sizeof *rows);
    }
    free_detections(found, count);
}
