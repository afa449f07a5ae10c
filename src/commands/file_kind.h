/* What kind of file stands on the command line, by what is in it: so that a .data file in the place of a cfg is named
 * as such, before Darknet reads it as one and crashes or trains on defaults. */
#ifndef FILE_KIND_H
#define FILE_KIND_H

typedef enum {
    FILE_UNKNOWN, /* not there, not readable, empty, a pipe or a device */
    FILE_FOLDER,
    FILE_CFG,    /* text whose first line is a [section] */
    FILE_DATA,   /* text whose first line is key=value */
    FILE_TEXT,   /* other text, such as a list */
    FILE_IMAGE,  /* JPEG, PNG, GIF or BMP */
    FILE_BINARY, /* other bytes that are no text: weights */
} file_kind;

/* Looks at the first 4096 bytes of a regular file. Blank lines and those that begin with # or ; are not counted. */
file_kind file_kind_of(const char *path);

/* The place on the command line of something such as "<cfg>": the kind that a file there has to be. FILE_UNKNOWN for
 * a file of any kind, and for what is no file or is yet to be written ("<out.cfg>"). */
file_kind kind_of_place(const char *place);

/* Whether both paths are the same regular file, by whatever names. */
int is_same_file(const char *a, const char *b);

/* Ends the program with one line where a file is of another kind than its place asks for, or one that is written
 * ("<out.cfg>") is another of the files, too. `places` is a list such as
 * "<data> <cfg> [weights...]"; the last one is also that of all further words. */
void check_file_kinds(const char *command, const char *places, const char *const *words, int word_count);

#endif
