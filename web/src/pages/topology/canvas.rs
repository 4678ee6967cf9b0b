//! Painting drawings that are too large to be built of elements. What is in sight comes from `xenapi_console::graph::scene`.

use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, Path2d};
use xenapi_console::format;
use xenapi_console::graph::scene::{Index, LABELS_FROM, Look, strokes};
use xenapi_console::graph::{Drawing, Shape, said};
use xenapi_console::text::Text;
use xenapi_console::viewport::{Size, Viewport};
use xenapi_topology::theme::{FONTS, Palette};
use xenapi_topology::{LABEL_INDENT, Metrics, PADDING, Path, State, Theme, tally_entry_width};

use super::picture::places;
use crate::dom;

/// At most so many lines while something moves, and when nothing does.
const LINES: (usize, usize) = (900, 30_000);
/// So many lines are one path: of very long ones browsers are slow to find the outline.
const BATCH: usize = 64;

/// What is painted.
pub(super) struct Scene<'a> {
    pub(super) drawing: &'a Drawing,
    pub(super) index: &'a Index,
    pub(super) view: Viewport,
    pub(super) frame: Size,
    pub(super) path: Option<&'a Path>,
    pub(super) selected: Option<usize>,
    pub(super) cursor: Option<usize>,
    pub(super) moves: bool,
}

/// Paints a scene. A browser that has no canvas shows nothing; the table says the same.
pub(super) fn paint(canvas: &HtmlCanvasElement, scene: &Scene<'_>) {
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|it| it.dyn_into::<CanvasRenderingContext2d>().ok()) else { return };
    let ratio = dom::window().map_or(1.0, |window| window.device_pixel_ratio()).clamp(1.0, 2.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a frame is as large as a screen")]
    let size = ((scene.frame.width * ratio) as u32, (scene.frame.height * ratio) as u32);
    if (canvas.width(), canvas.height()) != size {
        canvas.set_width(size.0);
        canvas.set_height(size.1);
    }
    let theme = if dom::is_dark() { Theme::Dark } else { Theme::Light };
    let painter = Painter { context, palette: theme.palette(), scene };
    // What a canvas refuses is a point out of all bounds, which nobody sees.
    let _ = painter.all(ratio);
}

struct Painter<'a> {
    context: CanvasRenderingContext2d,
    palette: &'static Palette,
    scene: &'a Scene<'a>,
}

impl Painter<'_> {
    fn all(&self, ratio: f64) -> Result<(), JsValue> {
        let (context, scene) = (&self.context, self.scene);
        context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0)?;
        context.clear_rect(0.0, 0.0, scene.frame.width, scene.frame.height);
        self.lines()?;
        let Viewport { x, y, scale } = scene.view;
        context.set_transform(ratio * scale, 0.0, 0.0, ratio * scale, x * ratio, y * ratio)?;
        if scale < LABELS_FROM {
            self.specks();
        } else {
            let glyphs = Glyphs::new()?;
            for at in scene.index.visible(&scene.drawing.layout, scene.view, scene.frame) {
                self.node(at, &glyphs)?;
            }
        }
        context.set_global_alpha(1.0);
        self.headings()
    }

    fn lines(&self) -> Result<(), JsValue> {
        let (context, scene) = (&self.context, self.scene);
        let most = if scene.moves { LINES.0 } else { LINES.1 };
        let all = strokes(scene.drawing, scene.view, scene.frame, scene.path, most);
        for alike in all.chunk_by(|a, b| a.look == b.look) {
            let look = alike[0].look;
            let colour = match look {
                Look::OnPath => self.palette.accent,
                Look::Broken => self.palette.state(State::Failed),
                Look::Quiet => self.palette.edge_quiet,
                _ => self.palette.edge,
            };
            context.set_stroke_style_str(colour);
            context.set_line_width(if look == Look::OnPath { 1.75 } else { 1.0 });
            let dim = scene.path.is_some() && look != Look::OnPath;
            context.set_global_alpha(if dim { 0.2 } else { 1.0 });
            let dashes: &[f64] = match look {
                Look::Inactive => &[5.0, 4.0],
                Look::Broken => &[2.0, 3.0],
                Look::Unknown => &[1.0, 4.0],
                _ => &[],
            };
            // Dashes cost much and say little where lines lie close together.
            let dashes = if scene.moves || scene.view.scale < LABELS_FROM { &[] } else { dashes };
            context.set_line_dash(&dashes.iter().map(|length| JsValue::from_f64(*length)).collect::<Array>())?;
            for batch in alike.chunks(BATCH) {
                context.begin_path();
                for stroke in batch {
                    let (from, to) = (stroke.from, stroke.to);
                    context.move_to(from.0.into(), from.1.into());
                    if stroke.is_curve {
                        let middle = f64::from(from.0 + to.0) / 2.0;
                        context.bezier_curve_to(middle, from.1.into(), middle, to.1.into(), to.0.into(), to.1.into());
                    } else {
                        context.line_to(to.0.into(), to.1.into());
                    }
                }
                context.stroke();
            }
        }
        context.set_line_dash(&Array::new())
    }

    /// Nodes from so far away that nothing in them can be read: their states as coloured bars.
    fn specks(&self) {
        let scene = self.scene;
        let mut seen: Vec<(State, bool, usize)> = scene
            .index
            .visible(&scene.drawing.layout, scene.view, scene.frame)
            .map(|at| (scene.drawing.shapes[at].state, self.is_dim(at), at))
            .collect();
        seen.sort_unstable();
        for alike in seen.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (state, dim, _) = alike[0];
            self.context.set_global_alpha(if dim { 0.25 } else { 0.9 });
            self.context.set_fill_style_str(self.palette.state(state));
            for (_, _, at) in alike {
                let rect = scene.drawing.layout.nodes[*at];
                self.context.fill_rect(rect.x, rect.y, rect.width, rect.height);
            }
        }
    }

    fn is_dim(&self, at: usize) -> bool {
        self.scene.path.is_some_and(|path| !path.nodes.contains(&at))
    }

    fn node(&self, at: usize, glyphs: &Glyphs) -> Result<(), JsValue> {
        let (context, palette) = (&self.context, self.palette);
        let shape = &*self.scene.drawing.shapes[at];
        context.set_global_alpha(if self.is_dim(at) { 0.35 } else { 1.0 });
        let chosen = self.scene.selected == Some(at) || self.scene.cursor == Some(at);
        let border = match shape.state {
            _ if chosen => palette.accent,
            state if state.is_trouble() => palette.state(state),
            _ => palette.border,
        };
        if shape.folded > 0 {
            self.card(shape, 3.5, border, 1.0)?;
        }
        self.card(shape, 0.5, border, if chosen { 2.0 } else { 1.0 })?;
        let places = places(shape);
        self.glyph(glyphs, shape.state, shape.rect.x + 10.0, shape.rect.y + places.glyph, 1.0)?;
        let quiet = matches!(shape.state, State::Halted | State::Suspended | State::Unplugged | State::Unknown);
        let metrics = Metrics::default();
        let (x, y) = (shape.rect.x, shape.rect.y);
        self.text(&shape.labels.label, x + LABEL_INDENT, y + places.label + 4.5, metrics.font_size, quiet, "left")?;
        let mut from = x + places.tally;
        for (state, count) in &shape.tally {
            self.glyph(glyphs, *state, from, y + places.detail - 5.0, 0.8)?;
            self.text(&count.to_string(), from + 13.0, y + places.detail + 4.0, metrics.small_size, true, "left")?;
            from += tally_entry_width(*count, &metrics);
        }
        let (end, align) = if shape.is_tall { (from, "left") } else { (x + shape.rect.width - PADDING, "right") };
        self.text(&shape.labels.detail, end, y + places.detail + 4.0, metrics.small_size, true, align)
    }

    fn card(&self, shape: &Shape, offset: f64, border: &str, width: f64) -> Result<(), JsValue> {
        let context = &self.context;
        let rect = shape.rect;
        context.set_fill_style_str(if shape.is_place { self.palette.surface } else { self.palette.node });
        context.set_stroke_style_str(border);
        context.set_line_width(width);
        context.begin_path();
        context.round_rect_with_f64(rect.x + offset, rect.y + offset, rect.width - 1.0, rect.height - 1.0, 4.0)?;
        context.fill();
        context.stroke();
        Ok(())
    }

    fn glyph(&self, glyphs: &Glyphs, state: State, x: f64, y: f64, scale: f64) -> Result<(), JsValue> {
        let context = &self.context;
        context.save();
        context.translate(x, y)?;
        context.scale(scale, scale)?;
        context.set_fill_style_str(self.palette.state(state));
        context.fill_with_path_2d_and_winding(glyphs.of(state), web_sys::CanvasWindingRule::Evenodd);
        context.restore();
        Ok(())
    }

    fn text(&self, words: &str, x: f64, y: f64, size: f64, quiet: bool, align: &str) -> Result<(), JsValue> {
        if words.is_empty() {
            return Ok(());
        }
        self.context.set_font(&format!("{size}px {FONTS}"));
        self.context.set_text_align(align);
        self.context.set_fill_style_str(if quiet { self.palette.muted } else { self.palette.text });
        self.context.fill_text(words, x, y)
    }

    fn headings(&self) -> Result<(), JsValue> {
        let metrics = Metrics::default();
        let drawing = self.scene.drawing;
        let base = metrics.margin + metrics.heading - 13.0;
        for (column, placed) in drawing.graph.columns.iter().zip(drawing.layout.columns.iter()) {
            let note = if column.unknown { Text::ColumnUnknown.get().into() } else { format::count(column.count) };
            self.text(said::heading(column.kind).get(), placed.x, base, 12.0, true, "left")?;
            self.text(&note, placed.x + placed.width, base, 12.0, true, "right")?;
        }
        Ok(())
    }
}

/// The shapes of the states, made once for a picture.
struct Glyphs(Vec<Path2d>);

impl Glyphs {
    fn new() -> Result<Self, JsValue> {
        State::ALL.iter().map(|state| Path2d::new_with_path_string(state.glyph())).collect::<Result<_, _>>().map(Glyphs)
    }

    fn of(&self, state: State) -> &Path2d {
        let at = State::ALL.iter().position(|known| *known == state).unwrap_or(0);
        &self.0[at]
    }
}
