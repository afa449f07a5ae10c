/* The layers that detect. */
#ifndef HEADS_H
#define HEADS_H

#include "darknet.h"

/* 1 where the layer is a detection head: [yolo], [region] or [detection]. */
static inline int is_detection_head(const layer *l)
{
    return l->type == YOLO || l->type == REGION || l->type == DETECTION;
}

#endif
