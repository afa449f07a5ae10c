/* What an evaluation is of, for the targets that read results: three images, two classes. */
#ifndef EVALUATION_DATA_H
#define EVALUATION_DATA_H

#include "data/data_file.h"

static char *names_of_classes[] = {(char *)"cat", (char *)"a dog"};
static char *paths_of_images[] = {(char *)"a/12.jpg", (char *)"a/COCO_val_000007.jpg", (char *)"b/3_1.png"};
static const valid_data evaluated = {2, {names_of_classes, 2}, {paths_of_images, 3}, (char *)"names"};

#endif
