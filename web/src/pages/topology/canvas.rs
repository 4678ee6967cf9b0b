//! Painting the steps that `xenapi_console::graph::plan` plans on a canvas.

use std::borrow::Cow;

use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, Path2d};
use xenapi_console::format;
use xenapi_console::graph::plan::{Border, Card, Plan, Step, Word};
use xenapi_console::graph::scene::{LABELS_FROM, Look, Stroke};
use xenapi_console::graph::sheet::Sheet;
use xenapi_console::graph::{Drawing, Shape, said};
use xenapi_console::text::Text;
use xenapi_topology::theme::{FONTS, Palette};
use xenapi_topology::{LABEL_INDENT, Metrics, PADDING, State, Theme, tally_entry_width};

use super::picture::{heading_icon, places};
use crate::components::icons::icon_path;

/// How a sheet is painted.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Paint {
    pub(super) theme: Theme,
    /// How many pixels of the screen one of the page has.
    pub(super) ratio: f64,
    /// Whether lines are those of a path in focus.
    pub(super) is_focus: bool,
}

/// A painter of one sheet, at its canvas.
pub(super) struct Painter {
    context: CanvasRenderingContext2d,
    palette: &'static Palette,
    paint: Paint,
    sheet: Sheet,
}

impl Painter {
    /// Begins a sheet on a canvas, which is empty then. None if the browser has no canvas: the table says the same.
    pub(super) fn begin(canvas: &HtmlCanvasElement, sheet: Sheet, paint: Paint) -> Option<Painter> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sheet is about as large as a screen")]
        let pixels = |length: f64| (length * paint.ratio).ceil() as u32;
        let size = (pixels(sheet.size.width), pixels(sheet.size.height));
        let context = canvas.get_context("2d").ok().flatten()?.dyn_into::<CanvasRenderingContext2d>().ok()?;
        if (canvas.width(), canvas.height()) == size {
            context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0).ok()?;
            context.clear_rect(0.0, 0.0, size.0.into(), size.1.into());
        } else {
            canvas.set_width(size.0);
            canvas.set_height(size.1);
        }
        Some(Painter { context, palette: paint.theme.palette(), paint, sheet })
    }

    /// Does one step.
    ///
    /// # Errors
    /// What a canvas refuses is a point out of all bounds, which nobody sees.
    pub(super) fn step(&self, drawing: &Drawing, plan: &Plan, step: &Step, glyphs: &Glyphs) -> Result<(), JsValue> {
        let (context, ratio, view) = (&self.context, self.paint.ratio, self.sheet.view);
        if let Step::Lines(look, range) = step {
            context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0)?;
            return self.lines(*look, plan.strokes.get(range.clone()).unwrap_or_default());
        }
        let scale = ratio * view.scale;
        context.set_transform(scale, 0.0, 0.0, scale, view.x * ratio, view.y * ratio)?;
        let shapes = &drawing.shapes;
        match step {
            Step::Lines(..) => Ok(()),
            Step::Specks(state, at) => {
                self.specks(*state, at.iter().map(|at| &*shapes[*at]));
                Ok(())
            }
            Step::Cards(card, at) => self.cards(*card, at.iter().map(|at| &*shapes[*at])),
            Step::Glyphs(state, spots) => {
                context.set_fill_style_str(self.palette.state(*state));
                spots.iter().try_for_each(|(at, entry)| self.glyph(glyphs.of(*state), &shapes[*at], *entry))
            }
            Step::Words(words) => self.words(words, shapes),
            Step::Headings => self.headings(drawing),
        }
    }

    fn lines(&self, look: Look, strokes: &[Stroke]) -> Result<(), JsValue> {
        let context = &self.context;
        let colour = match look {
            Look::Broken => self.palette.state(State::Failed),
            _ if self.paint.is_focus => self.palette.accent,
            Look::Quiet => self.palette.edge_quiet,
            _ => self.palette.edge,
        };
        context.set_stroke_style_str(colour);
        context.set_line_width(if self.paint.is_focus { 1.75 } else { 1.0 });
        let dashes: &[f64] = match look {
            // Dashes cost much and say little where lines lie close together.
            _ if self.sheet.view.scale < LABELS_FROM => &[],
            Look::Inactive => &[5.0, 4.0],
            Look::Broken => &[2.0, 3.0],
            Look::Unknown => &[1.0, 4.0],
            _ => &[],
        };
        context.set_line_dash(&dashes.iter().map(|length| JsValue::from_f64(*length)).collect::<Array>())?;
        context.begin_path();
        for Stroke { from, bent, to, .. } in strokes {
            context.move_to(from.0.into(), from.1.into());
            match bent {
                Some((a, b)) => {
                    context.bezier_curve_to(a.0.into(), a.1.into(), b.0.into(), b.1.into(), to.0.into(), to.1.into());
                }
                None => context.line_to(to.0.into(), to.1.into()),
            }
        }
        context.stroke();
        Ok(())
    }

    fn specks<'a>(&self, state: State, shapes: impl Iterator<Item = &'a Shape>) {
        self.context.set_fill_style_str(self.palette.state(state));
        // What is well steps back, so that what is not is found.
        self.context.set_global_alpha(if state.is_trouble() { 1.0 } else { 0.55 });
        for Shape { rect, .. } in shapes {
            self.context.fill_rect(rect.x, rect.y, rect.width, rect.height);
        }
        self.context.set_global_alpha(1.0);
    }

    fn cards<'a>(&self, card: Card, shapes: impl Iterator<Item = &'a Shape>) -> Result<(), JsValue> {
        let context = &self.context;
        let (border, width) = match card.border {
            Border::Plain => (self.palette.border, 1.0),
            Border::Trouble(state) => (self.palette.state(state), 1.0),
            // Found from far away, too.
            Border::Chosen => (self.palette.accent, 2.0 / self.sheet.view.scale.min(1.0)),
        };
        context.set_fill_style_str(if card.is_place { self.palette.surface } else { self.palette.node });
        context.set_stroke_style_str(border);
        context.set_line_width(width);
        context.set_line_dash(&Array::new())?;
        let offset = if card.is_upper { 0.5 } else { 3.5 };
        for Shape { rect, .. } in shapes {
            context.begin_path();
            context.round_rect_with_f64(rect.x + offset, rect.y + offset, rect.width - 1.0, rect.height - 1.0, 4.0)?;
            context.fill();
            context.stroke();
        }
        Ok(())
    }

    fn glyph(&self, path: &Path2d, shape: &Shape, entry: Option<usize>) -> Result<(), JsValue> {
        let (context, places) = (&self.context, places(shape));
        let (x, y, scale) = match entry {
            None => (10.0, places.glyph, 1.0),
            Some(entry) => (places.tally + before(shape, entry), places.detail - 5.0, 0.8),
        };
        context.save();
        context.translate(shape.rect.x + x, shape.rect.y + y)?;
        context.scale(scale, scale)?;
        context.fill_with_path_2d_and_winding(path, web_sys::CanvasWindingRule::Evenodd);
        context.restore();
        Ok(())
    }

    fn words(&self, words: &[(Word, usize)], shapes: &[std::rc::Rc<Shape>]) -> Result<(), JsValue> {
        let metrics = Metrics::default();
        let Some((first, _)) = words.first() else { return Ok(()) };
        let is_label = matches!(first, Word::Label | Word::QuietLabel);
        self.write(if is_label { metrics.font_size } else { metrics.small_size }, *first != Word::Label);
        let mut aligned = "left";
        self.context.set_text_align(aligned);
        for (word, at) in words {
            let shape = &*shapes[*at];
            let (places, rect) = (places(shape), shape.rect);
            let (text, x, y, align): (Cow<'_, str>, _, _, _) = match word {
                Word::Label | Word::QuietLabel => {
                    (shape.labels.label.as_str().into(), LABEL_INDENT, places.label + 4.5, "left")
                }
                Word::Tally(entry) => {
                    let count = shape.tally.get(*entry).map_or(0, |(_, count)| *count);
                    (count.to_string().into(), places.tally + before(shape, *entry) + 13.0, places.detail + 4.0, "left")
                }
                Word::Detail => {
                    let (x, align) = if shape.is_tall {
                        (places.tally + before(shape, shape.tally.len()), "left")
                    } else {
                        (rect.width - PADDING, "right")
                    };
                    (shape.labels.detail.as_str().into(), x, places.detail + 4.0, align)
                }
            };
            if align != aligned {
                self.context.set_text_align(align);
                aligned = align;
            }
            self.context.fill_text(&text, rect.x + x, rect.y + y)?;
        }
        Ok(())
    }

    fn write(&self, size: f64, is_quiet: bool) {
        self.context.set_font(&format!("{size}px {FONTS}"));
        self.context.set_fill_style_str(if is_quiet { self.palette.muted } else { self.palette.text });
    }

    fn headings(&self, drawing: &Drawing) -> Result<(), JsValue> {
        let metrics = Metrics::default();
        let base = metrics.margin + metrics.heading - 13.0;
        self.write(12.0, true);
        self.context.set_stroke_style_str(self.palette.muted);
        self.context.set_line_width(1.4);
        self.context.set_line_dash(&Array::new())?;
        self.context.set_line_cap("round");
        self.context.set_line_join("round");
        for (column, placed) in drawing.graph.columns.iter().zip(drawing.layout.columns.iter()) {
            let note = if column.unknown { Text::ColumnUnknown.get().into() } else { format::count(column.count) };
            self.context.save();
            self.context.translate(placed.x, base - 11.5)?;
            self.context.scale(0.875, 0.875)?;
            self.context.stroke_with_path(&Path2d::new_with_path_string(icon_path(heading_icon(column.kind)))?);
            self.context.restore();
            self.context.set_font(&format!("600 12px {FONTS}"));
            self.context.set_text_align("left");
            self.context.fill_text(said::heading(column.kind).get(), placed.x + 20.0, base)?;
            self.context.set_font(&format!("12px {FONTS}"));
            self.context.set_text_align("right");
            self.context.fill_text(&note, placed.x + placed.width, base)?;
        }
        Ok(())
    }
}

/// The room that a number of entries of a tally takes.
fn before(shape: &Shape, entries: usize) -> f64 {
    let metrics = Metrics::default();
    shape.tally.iter().take(entries).map(|(_, count)| tally_entry_width(*count, &metrics)).sum()
}

/// The shapes of the states.
pub(super) struct Glyphs(Vec<Path2d>);

impl Glyphs {
    pub(super) fn new() -> Result<Self, JsValue> {
        State::ALL.iter().map(|state| Path2d::new_with_path_string(state.glyph())).collect::<Result<_, _>>().map(Glyphs)
    }

    fn of(&self, state: State) -> &Path2d {
        let at = State::ALL.iter().position(|known| *known == state).unwrap_or(0);
        &self.0[at]
    }
}
