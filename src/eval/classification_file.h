/* The results of an earlier `darknet classifier metrics -json FILE`, to compare with. */
#ifndef CLASSIFICATION_FILE_H
#define CLASSIFICATION_FILE_H

/* Reads which images the last model of the file classified correctly: of several weights that is their ensemble. The
 * file must be of the same images in the same order, with the same labels (of paths the first 255 bytes are compared).
 *
 * paths, labels: [count]. correct: [count], filled in with 1 and 0. Returns 0, or 1 after one line on stderr. */
int classification_file_read(const char *path, char **paths, const int *labels, int count, unsigned char *correct);

#endif
