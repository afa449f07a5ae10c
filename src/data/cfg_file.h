/* Reads a cfg file as it stands, with the number of every line, for checks before a network is made of it.
 *
 * The file is read as read_cfg reads it: blanks are left out wherever they stand (strip_cfg_line), and the first line
 * of a section with a key counts. */
#ifndef CFG_FILE_H
#define CFG_FILE_H

#include "base/problems.h"

typedef struct {
    int section; /* from 0: [net] */
    int line;    /* from 1 */
    char *key;   /* "[yolo]" of the line that begins a section; owned */
    char *value; /* "" for a section; part of the block of `key` */
} cfg_entry;

typedef struct {
    const char *path; /* the caller's */
    cfg_entry *entries;
    size_t count, capacity;
    int sections;
} cfg_file;

/* Returns 0, or 1 after adding what is wrong to `list`: the file cannot be read, or is no cfg. Free with cfg_file_free,
 * also then. */
int cfg_file_read(const char *path, cfg_file *cfg, problems *list);
void cfg_file_free(cfg_file *cfg);

/* The line that begins a section, such as "[yolo]"; its name is `key`. */
const cfg_entry *cfg_section(const cfg_file *cfg, int section);

/* The line of a section with this key, or NULL. */
const cfg_entry *cfg_find(const cfg_file *cfg, int section, const char *key);

/* The value as Darknet reads a whole number, or the int that is nearest to it; `otherwise` where there is no such key.
 */
int cfg_whole_number(const cfg_file *cfg, int section, const char *key, int otherwise);

#endif
