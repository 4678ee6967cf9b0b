//! Pictures: reading, comparing, and writing them small.

use std::collections::HashMap;

/// A pixel: red, green, blue.
type Pixel = [u8; 3];

/// A picture without transparency.
#[derive(Clone, PartialEq, Default)]
pub(super) struct Image {
    width: usize,
    height: usize,
    pixels: Vec<Pixel>,
}

/// Colours that are this near look alike: the approved pictures have fewer colours than the screen.
const NEAR: u8 = 40;

/// How many colours an approved picture has: letters have many greys, and nobody misses them.
const COLOURS: usize = 64;

impl Image {
    /// Reads a PNG.
    pub(super) fn decode(bytes: &[u8]) -> Option<Image> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().ok()?;
        let mut buffer = vec![0; reader.output_buffer_size()?];
        let frame = reader.next_frame(&mut buffer).ok()?;
        let samples = frame.color_type.samples();
        let pixels = buffer[..frame.buffer_size()].chunks_exact(samples);
        let pixels = pixels.map(|it| if samples < 3 { [it[0]; 3] } else { [it[0], it[1], it[2]] }).collect();
        Some(Image { width: frame.width as usize, height: frame.height as usize, pixels })
    }

    /// Writes a PNG with few colours, the most frequent ones.
    pub(super) fn encode_small(&self) -> Vec<u8> {
        let mut counts: HashMap<Pixel, usize> = HashMap::new();
        self.pixels.iter().for_each(|pixel| *counts.entry(*pixel).or_default() += 1);
        let mut frequent: Vec<(Pixel, usize)> = counts.iter().map(|(pixel, count)| (*pixel, *count)).collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let palette: Vec<Pixel> = frequent.iter().take(COLOURS).map(|(pixel, _)| *pixel).collect();
        let nearest = |pixel: &Pixel| {
            let distance =
                |other: &Pixel| -> u32 { pixel.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum() };
            let nearest = palette.iter().enumerate().min_by_key(|(_, other)| distance(other));
            nearest.map_or(0, |(at, _)| u8::try_from(at).unwrap_or_default())
        };
        let places: HashMap<Pixel, u8> = counts.keys().map(|pixel| (*pixel, nearest(pixel))).collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.set_palette(palette.concat());
        let indices: Vec<u8> = self.pixels.iter().map(|pixel| places[pixel]).collect();
        let mut writer = encoder.write_header().expect("a picture has a size");
        writer.write_image_data(&indices).expect("memory takes it");
        writer.finish().expect("memory takes it");
        bytes
    }

    /// Which share of the pixels differs, from 0 to 1; 1 if the sizes do.
    pub(super) fn difference(&self, other: &Image) -> f64 {
        if (self.width, self.height) != (other.width, other.height) || self.pixels.is_empty() {
            return 1.0;
        }
        let differing = self.pixels.iter().zip(&other.pixels).filter(|(a, b)| differ(a, b)).count();
        differing as f64 / self.pixels.len() as f64
    }

    /// The other picture, pale, with what differs in red.
    pub(super) fn marked(&self, other: &Image) -> Image {
        let same_size = (self.width, self.height) == (other.width, other.height);
        let mark = |at: usize, pixel: &Pixel| {
            let differs = !same_size || self.pixels.get(at).is_none_or(|old| differ(old, pixel));
            if differs { [220, 0, 0] } else { pixel.map(|channel| 160 + channel / 3) }
        };
        let pixels = other.pixels.iter().enumerate().map(|(at, pixel)| mark(at, pixel)).collect();
        Image { pixels, ..other.clone() }
    }
}

fn differ(a: &Pixel, b: &Pixel) -> bool {
    a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > NEAR)
}

#[test]
fn a_picture_is_read_back_and_differs_where_it_was_changed() {
    let pixels = (0..400_u32).map(|at| [(at / 16 * 8) as u8, 10, if at < 200 { 0 } else { 255 }]).collect();
    let image = Image { width: 20, height: 20, pixels };
    let back = Image::decode(&image.encode_small()).expect("it is a PNG");
    assert_eq!(image.difference(&back), 0.0);
    let mut other = image.clone();
    other.pixels[7] = [200, 200, 200];
    assert_eq!(image.difference(&other), 1.0 / 400.0);
    assert_eq!(image.marked(&other).pixels[7], [220, 0, 0]);
    assert_eq!(image.difference(&Image::default()), 1.0);
}
