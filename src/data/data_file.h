/* Reads Darknet's .data files: one `key = value` per line, such as classes=, names=, train= and valid=.
 *
 * Paths in a .data file, and in the lists that it names, follow Darknet's rule: a relative path is relative to the
 * current folder of the program, not to the folder of the .data file. Nothing here changes a path.
 *
 * Functions that return an int return 0, or 1 after one line on stderr.
 */
#ifndef DATA_FILE_H
#define DATA_FILE_H

#include "data/lists.h"

#include "darknet.h"

/* The data of an evaluation: the classes, their names, and the images of the valid= list. */
typedef struct {
    int classes;              /* classes= */
    text_lines names, images; /* the lines of the files in names= and valid= */
    char *names_file;         /* the path in names=, for messages */
} valid_data;

/* Reads classes=, names= and valid=. Does not check that there are as many names as classes. Free with valid_data_free,
 * also after an error. */
int valid_data_read(const char *path, valid_data *data);
void valid_data_free(valid_data *data);

/* Reads classes= and the lines of the file in train=. Free `images` with free_lines, also after an error. */
int training_list_read(const char *path, int *classes, text_lines *images);

#endif
