/* Darknet's .data files: `key = value` a line, such as classes=, names=, train= and valid=.
 *
 * The paths in it, and those in the lists that it names, follow Darknet's rule: a relative path is relative to the
 * folder that the program was started in, wherever the .data file itself lies. Nothing here changes a path.
 *
 * Functions that return an int return 0, or 1 after one line on stderr.
 */
#ifndef DATA_FILE_H
#define DATA_FILE_H

#include "data/lists.h"

#include "darknet.h"

/* What an evaluation reads: the classes, their names, and the images of the valid= list. */
typedef struct {
    int classes;              /* classes= */
    text_lines names, images; /* the lines of the files names= and valid= */
    char *names_file;         /* names=, for messages */
} valid_data;

/* Free with valid_data_free, after an error too. Whether there are as many names as classes is not looked at. */
int valid_data_read(const char *path, valid_data *data);
void valid_data_free(valid_data *data);

/* classes=, and the lines of the file train=. Free the images with free_lines, after an error too. */
int training_list_read(const char *path, int *classes, text_lines *images);

#endif
