/* The name that somebody meant who mistyped it: for messages about options and keys. */
#ifndef NEAREST_NAME_H
#define NEAREST_NAME_H

/* How many letters have to be added, removed, replaced or swapped with their neighbour to make `b` of `a`, each letter
 * at most once (optimal string alignment; Damerau 1964). Upper and lower case are equal, so the distance of "Alpha" and
 * "alpha" is 0. Above 255 letters only the first 255 are compared. */
int edit_distance(const char *a, const char *b);

/* Whether `typed` may be a mistyped `name`: their distance is at most 1 with three to five letters, 2 with more. With
 * fewer letters, where every name is near to every other, it never is. An equal name is not mistyped. */
int is_mistyped(const char *typed, const char *name);

/* The nearest of the `count` names that `typed` may be a mistyped form of; the first of several. NULL if there is none.
 */
const char *nearest_name(const char *typed, const char *const *names, int count);

#endif
