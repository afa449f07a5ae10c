/* What people said about the images that a classifier saw: CIFAR-10H and files of its form. */
#ifndef CLASSIFICATION_HUMAN_H
#define CLASSIFICATION_HUMAN_H

typedef struct {
    float *h;             /* [count][classes]: the distribution of the votes for each image of the list; sums to 1 */
    unsigned char *known; /* [count]: 1 where the file has a row for the image */
    int known_count;
} human_labels;

/* Reads a table with tabs between its columns. The first line names them: `file`, the end of an image's path such as
 * test/cat/0000.jpg, and for every class p_<name>; others are passed over, and the order is free. A row belongs to
 * every path in the list that is that file or ends with a slash and that file. The votes of a row must sum to 1 within
 * .01, and are divided by their sum.
 *
 * names: [classes]; paths: [count]. Returns 0, or 1 after one line on stderr: where a column is missing, a row is
 * wrong, a file is there twice, or no image has a row. Free with human_labels_free, after an error too. */
int human_labels_read(const char *path, char **names, int classes, char **paths, int count, human_labels *labels);
void human_labels_free(human_labels *labels);

#endif
