/* `darknet --version`: which program this is. */
#ifndef VERSION_H
#define VERSION_H

/* Prints to stdout the version of this project, the Darknet that it was built from, the switches of the build and the
 * versions of the libraries in use. Does not use a GPU. */
void print_version(void);

#endif
