#include "commands/soft_label_plot.h"

#include "base/error.h"
#include "base/gnuplot.h"

#include <stdlib.h>
#include <string.h>

/* ---- One heat map ------------------------------------------------------------------------------------------------ */

static void tics(FILE *out, const char *axis, char **names, int classes, const char *style)
{
    int k;
    fprintf(out, "set %stics %s (", axis, style);
    for (k = 0; k < classes; ++k) {
        if (k) fputs(", ", out);
        gnuplot_quote_tic(out, names[k]);
        fprintf(out, " %d", k);
    }
    fputs(")\n", out);
}

/* The colour scale is a square root, because the diagonal is much larger than the rest, which is what was learned. */
static void colour_scale(FILE *out)
{
    fputs("set palette defined (0 '#ffffff', .15 '#c6dbef', .35 '#6baed6', .6 '#2171b5', 1 '#08306b')\n"
          "set cbrange [0:1]\n"
          "set cbtics ('0' 0, '.01' .1, '.04' .2, '.1' .3162, '.2' .4472, '.4' .6325, '.6' .7746, '.8' .8944, '1' 1)\n"
          "set cblabel 'S (square-root scale)'\n",
          out);
}

static float entry(const ols_state *state, int y, int k)
{
    return state->S[(size_t)y * state->classes + k];
}

/* The largest entry of a square of S. */
static float largest(const ols_state *state, int from_y, int from_k, int block)
{
    float most = 0;
    int y, k;
    for (y = from_y; y < from_y + block && y < state->classes; ++y)
        for (k = from_k; k < from_k + block && k < state->classes; ++k)
            if (entry(state, y, k) > most) most = entry(state, y, k);
    return most;
}

/* The data block $S<number>: a cell for each entry or, so that none is lost where there are more entries than pixels,
 * for each square of block x block. */
static void matrix(FILE *out, const ols_state *state, int number, int block)
{
    int y, k;
    fprintf(out, "$S%d << EOD\n", number);
    for (y = 0; y < state->classes; y += block) {
        for (k = 0; k < state->classes; k += block) fprintf(out, "%g ", largest(state, y, k, block));
        fputc('\n', out);
    }
    fputs("EOD\n", out);
}

static const char *draw_one(const char *png, const ols_state *state, char **names)
{
    const int classes = state->classes, size = classes <= 20 ? 200 + 45 * classes : 1100;
    gnuplot_picture p;
    gnuplot_begin(&p, png, size + 140, size);
    fprintf(p.script, "set title 'Soft labels S after %lld updates: row = true class'\n", (long long)state->updates);
    fputs("set xlabel 'predicted'\nset ylabel 'true'\nset yrange [*:*] reverse\nset size ratio 1\nunset key\n",
          p.script);
    if (classes <= 60) {
        tics(p.script, "x", names, classes, "rotate by 60 right");
        tics(p.script, "y", names, classes, "");
    }
    colour_scale(p.script);
    matrix(p.script, state, 0, 1);
    fputs("plot $S0 matrix using 1:2:(sqrt($3)) with image", p.script);
    if (classes <= 20)
        fputs(", $S0 matrix using 1:2:($3 < .0005 ? '' : sprintf('%.3f', $3)):($3 > .25 ? 0xffffff : 0x333333) "
              "with labels font ',8' tc rgb variable",
              p.script);
    fputc('\n', p.script);
    return gnuplot_end(&p);
}

/* ---- Which checkpoints a strip shows ----------------------------------------------------------------------------- */

static int by_position(const void *a, const void *b)
{
    const ols_state *one = *(ols_state *const *)a, *other = *(ols_state *const *)b;
    if (one->updates != other->updates) return one->updates < other->updates ? -1 : 1;
    return (one->images > other->images) - (one->images < other->images);
}

static int same_labels(const ols_state *a, const ols_state *b)
{
    return a->updates == b->updates && !memcmp(a->S, b->S, sizeof(float) * a->classes * a->classes);
}

/* Puts the states in order and leaves one of those that are the same. Returns how many are left. S changes at an update
 * only, and a detector saves several checkpoints between two of them. */
static int put_in_order(ols_state **states, int count)
{
    int i, left = 1;
    qsort(states, count, sizeof *states, by_position);
    for (i = 1; i < count; ++i) {
        if (same_labels(states[i], states[left - 1]))
            ols_free_state(states[i]);
        else
            states[left++] = states[i];
    }
    if (left < count)
        report_note("%d of %d checkpoints have the soft labels of another one, as these change once an epoch (or "
                    "period=), and are left out",
                    count - left, count);
    return left;
}

/* ---- A strip ----------------------------------------------------------------------------------------------------- */

/* Sizes in pixels. */
enum {
    MOST_PANELS = 12,
    MOST_COLUMNS = 6,
    PANELS_WIDTH = 1320, /* of all columns together, where the sides below allow that */
    LEAST_SIDE = 200,    /* of a heat map */
    MOST_SIDE = 440,
    LEAST_ROW = 10, /* of a row of a heat map that has room for its name */
    LETTER = 6,     /* width of a letter of a name */
    LONGEST_NAME = 30,
    GAP = 20,          /* between heat maps */
    HEADING = 40,      /* of the picture */
    TITLE = 30,        /* of a heat map */
    SCALE = 110,       /* colours, with their numbers */
    CHART = 200,       /* height of the chart without its numbers */
    NUMBERS = 60,      /* its numbers, at the left and below */
    LEAST_CHART = 500, /* its width */
    KEY_LETTER = 9,    /* width of a letter in the names of its curves, at the right */
    KEY_SAMPLE = 90    /* what stands before such a name, and the margins */
};

typedef struct {
    ols_state *const *states; /* all, in order */
    int count;
    int panels; /* how many of them are shown: MOST_PANELS or fewer */
    char **names;
    int has_names; /* whether there is room for them */
    int block;     /* entries of S that share a cell, in each direction */
    int rows, columns, side;
    int left, below;   /* the room beside and below the heat maps */
    int key;           /* the room for the names of the chart's curves */
    int width, height; /* of the picture */
} strip;

/* The entries of the last S that the chart follows. */
typedef struct {
    int lowest, highest; /* the classes with the smallest and the largest S[y][y] */
    int label, other;    /* the largest S[y][k] of two classes */
} extremes;

static extremes find_extremes(const ols_state *state)
{
    extremes e = {0, 0, 0, 1};
    int y, k;
    for (y = 0; y < state->classes; ++y) {
        if (entry(state, y, y) < entry(state, e.lowest, e.lowest)) e.lowest = y;
        if (entry(state, y, y) > entry(state, e.highest, e.highest)) e.highest = y;
        for (k = 0; k < state->classes; ++k) {
            if (k == y || entry(state, y, k) <= entry(state, e.label, e.other)) continue;
            e.label = y;
            e.other = k;
        }
    }
    return e;
}

/* What stands behind the names in the titles of the curves. */
#define HIGHEST "highest S[y][y]"
#define LOWEST "lowest S[y][y]"
#define PAIR "strongest pair"

/* The length of a curve's title, "one (what)" or "one -> other (what)". */
static int title_length(const char *one, const char *other, const char *what)
{
    return (int)(strlen(one) + (other ? strlen(" -> ") + strlen(other) : 0) + strlen(" ()") + strlen(what));
}

static int longest_title(char **names, const extremes *e)
{
    const int lengths[] = {title_length(names[e->highest], 0, HIGHEST), title_length(names[e->lowest], 0, LOWEST),
                           title_length(names[e->label], names[e->other], PAIR)};
    int i, longest = 0;
    for (i = 0; i < 3; ++i)
        if (lengths[i] > longest) longest = lengths[i];
    return longest;
}

static void lay_out(strip *s, const extremes *e)
{
    const int classes = s->states[0]->classes;
    int k, longest = 0, room;
    s->panels = s->count < MOST_PANELS ? s->count : MOST_PANELS;
    s->rows = (s->panels + MOST_COLUMNS - 1) / MOST_COLUMNS;
    s->columns = (s->panels + s->rows - 1) / s->rows;
    s->side = PANELS_WIDTH / s->columns - GAP;
    if (s->side < LEAST_SIDE) s->side = LEAST_SIDE;
    if (s->side > MOST_SIDE) s->side = MOST_SIDE;
    for (k = 0; k < classes; ++k)
        if ((int)strlen(s->names[k]) > longest) longest = (int)strlen(s->names[k]);
    s->has_names = s->side / classes >= LEAST_ROW && longest <= LONGEST_NAME;
    room = GAP + (s->has_names ? LETTER * longest : 0);
    s->block = (classes + s->side - 1) / s->side;
    s->left = room > NUMBERS ? room : NUMBERS;
    s->below = room;
    s->key = KEY_SAMPLE + KEY_LETTER * longest_title(s->names, e);
    s->width = s->left + s->columns * (s->side + GAP) + SCALE;
    if (s->width < s->left + LEAST_CHART + s->key) s->width = s->left + LEAST_CHART + s->key;
    s->height = HEADING + s->rows * (GAP + TITLE + s->side) + s->below + TITLE + CHART + NUMBERS;
}

/* The state of panel i: the first, the last, and between them evenly spaced ones. */
static const ols_state *shown(const strip *s, int i)
{
    const int gaps = s->panels - 1;
    return s->states[((s->count - 1) * i + gaps / 2) / gaps];
}

/* Where the next plot is, in pixels from the left and from the top of the picture. */
static void place(FILE *out, const strip *s, int left, int top, int width, int height)
{
    fprintf(out,
            "set lmargin at screen %.6f\nset rmargin at screen %.6f\nset tmargin at screen %.6f\n"
            "set bmargin at screen %.6f\n",
            (double)left / s->width, (double)(left + width) / s->width, 1 - (double)top / s->height,
            1 - (double)(top + height) / s->height);
}

/* Names at the left and below, once for each row and column. */
static void name_classes(FILE *out, const strip *s, int i)
{
    const int is_left = i % s->columns == 0, is_lowest = i + s->columns >= s->panels;
    fputs("unset xtics\nunset ytics\n", out);
    if (s->has_names && is_left) tics(out, "y", s->names, s->states[0]->classes, "scale 0 font ',8'");
    if (s->has_names && is_lowest)
        tics(out, "x", s->names, s->states[0]->classes, "scale 0 font ',8' rotate by 90 right");
}

static void draw_panel(FILE *out, const strip *s, int i)
{
    const int row = i / s->columns, column = i % s->columns;
    place(out, s, s->left + column * (s->side + GAP), HEADING + TITLE + row * (GAP + TITLE + s->side), s->side,
          s->side);
    name_classes(out, s, i);
    fprintf(out, "set title 'epoch %lld' offset 0,-.6\n", (long long)shown(s, i)->updates);
    fprintf(out, "plot $S%d matrix using 1:2:(sqrt($3)) with image\nunset colorbox\n", i);
}

/* ---- The chart below a strip ------------------------------------------------------------------------------------- */

static void write_curves(FILE *out, const strip *s, const extremes *e)
{
    int i;
    fputs("$curves << EOD\n", out);
    for (i = 0; i < s->count; ++i) {
        const ols_state *state = s->states[i];
        ols_summary summary;
        ols_summarize(state, &summary);
        fprintf(out, "%lld %g %g %g %g\n", (long long)state->updates, summary.diagonal,
                entry(state, e->highest, e->highest), entry(state, e->lowest, e->lowest),
                entry(state, e->label, e->other));
    }
    fputs("EOD\n", out);
}

/* Continues the list of a plot. `other`: of a pair of classes, or NULL. */
static void curve(FILE *out, int column, const char *colour, const char *one, const char *other, const char *what)
{
    fprintf(out, ", $curves using 1:%d with linespoints pt 7 ps .6 lw 2 lc rgb '%s' title ", column, colour);
    gnuplot_quote(out, one);
    if (other) {
        fputs(".' -> '.", out);
        gnuplot_quote(out, other);
    }
    fprintf(out, ".' (%s)'", what);
}

static void draw_chart(FILE *out, const strip *s, const extremes *e)
{
    const int top = s->height - NUMBERS - CHART, right = s->width - s->key;
    const double first = (double)s->states[0]->updates, last = (double)s->states[s->count - 1]->updates;
    const double beside = last > first ? (last - first) / 50 : 1;
    place(out, s, s->left, top, right - s->left, CHART);
    fprintf(out,
            "unset title\nset xlabel 'epoch (with period=: update)'\nset xtics %s scale 1 norotate center font ',10'\n"
            "set ytics auto scale 1 font ',10'\n"
            "set grid lc rgb '#dddddd'\nset xrange [%.12g:%.12g]\nset yrange [0:*]\n"
            "set key at screen %.6f, screen %.6f left top Left reverse\n",
            last - first <= 24 ? "1" : "autofreq", first - beside, last + beside, (double)(right + GAP) / s->width,
            1 - (double)top / s->height);
    fputs("plot $curves using 1:2 with linespoints pt 7 ps .6 lw 3 lc rgb '#000000' title 'mean S[y][y]'", out);
    curve(out, 3, "#0072b2", s->names[e->highest], 0, HIGHEST);
    curve(out, 4, "#d55e00", s->names[e->lowest], 0, LOWEST);
    curve(out, 5, "#009e73", s->names[e->label], s->names[e->other], PAIR);
    fputc('\n', out);
}

static const char *draw_strip(const char *png, ols_state *const *states, int count, char **names)
{
    strip s = {states, count, 0, names, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const extremes e = find_extremes(states[count - 1]);
    gnuplot_picture p;
    int i, cells;
    lay_out(&s, &e);
    cells = (states[0]->classes + s.block - 1) / s.block;
    if (s.panels < count) report_note("%s shows %d of %d checkpoints, evenly spaced", png, s.panels, count);
    gnuplot_begin(&p, png, s.width, s.height);
    for (i = 0; i < s.panels; ++i) matrix(p.script, shown(&s, i), i, s.block);
    write_curves(p.script, &s, &e);
    fputs("set multiplot title 'Soft labels S over the epochs (with period=: updates): row = true class, column = "
          "predicted class'\nunset key\n",
          p.script);
    fprintf(p.script, "set xrange [-.5:%d.5]\nset yrange [%d.5:-.5]\n", cells - 1, cells - 1);
    colour_scale(p.script);
    fprintf(p.script, "set colorbox user origin screen %.6f, screen %.6f size screen %.6f, screen %.6f\n",
            1 - (SCALE - 5.) / s.width, 1 - (double)(HEADING + TITLE + s.side) / s.height, 18. / s.width,
            (double)s.side / s.height);
    for (i = 0; i < s.panels; ++i) draw_panel(p.script, &s, i);
    draw_chart(p.script, &s, &e);
    fputs("unset multiplot\n", p.script);
    return gnuplot_end(&p);
}

const char *soft_label_plot(const char *png, ols_state **states, int count, char **names)
{
    count = put_in_order(states, count);
    return count == 1 ? draw_one(png, states[0], names) : draw_strip(png, states, count, names);
}
