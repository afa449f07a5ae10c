/* Draws what `darknet detector map` found about confused classes. */
#ifndef MAP_CONFUSION_H
#define MAP_CONFUSION_H

#include "eval/confusion.h"

/* The confusion matrix as a PNG: a row for every class, in percent of its objects, with the class that they were taken
 * for and how many were missed, and a row for the boxes that stand on no object. names: [classes]. Returns 0, or 1
 * after one line on stderr. */
int map_confusion_png(const char *png, const confusion *c, char **names, double iou_threshold, double score_threshold);

/* Ends the program with one line if these are more classes than can be drawn. */
void map_confusion_check(int classes);

#endif
