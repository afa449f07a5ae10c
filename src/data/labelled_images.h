/* The images of a list, and the class of each, for classifiers: what `truth=`, `noise=` and `noise_file=` of a .data
 * file say.
 *
 * truth=       where the label of an image stands
 *   (absent)   Darknet's rule: the names of labels= are looked for in the path. A path must hold exactly one of them;
 *              with classes=1 it may hold none, and the image's label is then -1
 *   folder     the name of the folder that the image lies in is the label
 *   list       a line of the list is path<TAB>label
 * A label of truth=folder or truth=list is a line of labels= or else of names=, as a whole; in a list it may be the
 * number of a class instead, from 0.
 *
 * noise= and noise_file= change labels of the list train=, and of no other.
 * noise=R      gives round(R x count) of the images, drawn without replacement, another class, each of the other
 *              classes with the same probability; noise_seed= (default 1) says which. The same list and seed give the
 *              same labels.
 * noise_file=F takes the labels from a table of path<TAB>label, plain or gzipped. A path of the table is an image's, or
 *              its last parts ("train/cat/1.jpg"). A table of more columns has their names in its first line, and
 *              noise_column= names one.
 *
 * labels= that is absent is names=, and names= that is absent is labels=.
 */
#ifndef LABELLED_IMAGES_H
#define LABELLED_IMAGES_H

#include "base/problems.h"

#include <stdint.h>

typedef struct {
    char **paths;       /* [count] */
    int *labels;        /* [count] from 0; as noise has left them */
    int count, classes; /* classes= of the .data file, Darknet's default of 2 where it is absent */
    char **names;       /* [classes] lines of names= where given, else of labels= */
    int *clean_labels;  /* [count] without noise */
} labelled_images;

/* Reads the list that `key` ("train" or "valid") of a .data file names. Returns 0, or 1 after lines on stderr. Free
 * with labelled_images_free, after an error too. */
int labelled_images_read(const char *data_file, const char *key, labelled_images *images);

/* The same for checks, without noise: adds every problem to `list`; the paths that could be read are there
 * nevertheless.
 */
void labelled_images_collect(const char *data_file, const char *key, labelled_images *images, problems *list);
void labelled_images_free(labelled_images *images);

/* The number of images whose label noise has changed. */
int count_changed_labels(const labelled_images *images);

/* Leaves only images whose label noise has changed, in their order: all of them or, where there are more, `most` (1 at
 * least) that are drawn by `seed`. */
void keep_changed_images(labelled_images *images, int most, uint64_t seed);

#endif
