/* The labels of the images that Darknet's classifiers load: what its trainer, its validators and its loader ask where
 * they searched the paths of images for names themselves.
 *
 * A path is known by its address, since the loader hands on the addresses of the list that it was given. An image that
 * a list names twice may therefore have two labels.
 */
#ifndef LABEL_TABLE_H
#define LABEL_TABLE_H

#include "darknet.h"

/* Reads the list `key` ("train" or "valid") of a .data file with its labels (labelled_images.h), and keeps the label of
 * every path. paths[n] are the lines of that list as Darknet has read them; of each the path alone stays, without what
 * truth=list puts behind it. Returns how many images there are: n without empty lines at the end. Ends the program with
 * one line where labelled_images_read fails. With tag=1, where the labels of a training are files beside the images,
 * paths stay as they are, and truth=, noise= and noise_file= are refused.
 * Called before anything is loaded; what it keeps is that of the last call. */
int use_labels(const char *data_file, const char *key, char **paths, int n);

/* The class of an image, as noise has left it; -1 where there is none, or the path is not known. Any thread may call
 * this. */
int label_of(const char *path);

/* How many labels of that list noise has changed. */
int changed_labels(void);

/* Where the path is known: makes truth[classes] the one-hot vector of its label, and returns 1. 0 otherwise. */
int fill_label(const char *path, int classes, float *truth);

/* Ends the program with one line where a detector's .data file has a key that only classifiers heed. */
void refuse_label_keys(const char *data_file);

/* labels= of a .data file, or else names=, or else Darknet's default. */
char *find_labels_file(list *options);

#endif
