/* Which class a label names: lines of labels= and of names= of a .data file, as a whole. */
#ifndef CLASS_NAMES_H
#define CLASS_NAMES_H

#include "base/problems.h"

typedef struct {
    const char *text;
    int class_id;
} class_name;

typedef struct {
    class_name *labels, *names; /* [classes], sorted by text; names NULL: there are none */
    int classes;
    const char *labels_file, *names_file; /* for messages */
} class_names;

/* The texts ([classes]) and the files' names are the caller's, and must stay. `names` may be NULL. Free with
 * class_names_free, which may also be given zeros. */
void class_names_make(class_names *classes, char **labels, const char *labels_file, char **names,
                      const char *names_file, int count);
void class_names_free(class_names *classes);

/* The class that `text` names, in *class_id: a label, or else a name, or else, with `numbers`, the number of a class.
 * Returns 0, or 1 after adding a problem that begins with file:line: where nothing has the name, or several have. */
int class_names_find(const class_names *classes, const char *text, int numbers, const char *file, int line,
                     int *class_id, problems *list);

#endif
