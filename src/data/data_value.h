/* One key of a .data file, with the line that it stands in, so that a message about its value can name both.
 *
 * The file is read as Darknet's read_data_cfg reads it: spaces and tabs are left out wherever they stand, a line that
 * begins with # or ; is a comment, and the first line with a key counts. What read_data_cfg drops with a remark, a key
 * without a value, is an error here. Functions that return an int return 0, or 1 after one line on stderr.
 */
#ifndef DATA_VALUE_H
#define DATA_VALUE_H

typedef struct {
    char *text; /* NULL: the file has no such key; otherwise the caller frees it */
    int line;   /* from 1 */
} data_value;

/* The value of `key` in the file. After an error there is nothing to free. */
int data_value_find(const char *data_file, const char *key, data_value *value);

/* Puts the value of a key into *number, which stays as it is where the file has no such key; an error where the value
 * is no number from low to high, or no whole number. A comment may stand behind it. */
int data_value_number(const char *data_file, const char *key, double low, double high, double *number);
int data_value_whole_number(const char *data_file, const char *key, long long low, long long high, long long *number);

/* Where `key` has one of `words` (ends with NULL), its place in them goes into *which, which stays as it is where the
 * file has no such key; an error where the value is none of them. */
int data_value_word(const char *data_file, const char *key, const char *const *words, int *which);

#endif
