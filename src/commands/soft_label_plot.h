/* Draws soft labels as heat maps. */
#ifndef SOFT_LABEL_PLOT_H
#define SOFT_LABEL_PLOT_H

#include "ols/ols.h"

/* Draws `count` >= 1 states of the same K, whose classes have these names, to the file `png`, with gnuplot.
 *
 * One state gives one heat map. Several give a strip: a heat map each, in order of their updates, and below them a
 * chart of some entries of S over the updates. Of states with the same S after the same number of updates one is shown,
 * and of more than 12 those that are evenly spaced; a note says so. `states` is put in that order, and those that are
 * left out of it are freed.
 *
 * Returns NULL, or a short error message in static storage; the file is then as it was. */
const char *soft_label_plot(const char *png, ols_state **states, int count, char **names);

#endif
