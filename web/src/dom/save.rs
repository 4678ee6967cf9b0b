//! Saving pictures as files.

use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement, HtmlImageElement, Url,
};

/// Browsers draw no larger pictures, in pixels of a side.
const LARGEST: f64 = 8_192.0;

/// Offers an SVG document of a size as a PNG, twice as fine as it is on the screen where that is possible.
pub(crate) async fn png(name: String, svg: String, width: f64, height: f64) {
    if let Err(error) = try_png(&name, &svg, width, height).await {
        web_sys::console::warn_2(&JsValue::from_str("the picture could not be saved as PNG"), &error);
    }
}

async fn try_png(name: &str, svg: &str, width: f64, height: f64) -> Result<(), JsValue> {
    let document = super::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let url = url_of("image/svg+xml", svg)?;
    let image = HtmlImageElement::new()?;
    image.set_src(&url);
    let decoded = JsFuture::from(image.decode()).await;
    Url::revoke_object_url(&url)?;
    decoded?;
    let scale = 2.0_f64.min(LARGEST / width.max(1.0)).min(LARGEST / height.max(1.0));
    let canvas: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "limited above, and not negative")]
    let pixels = |length: f64| (length * scale).ceil().max(1.0) as u32;
    canvas.set_width(pixels(width));
    canvas.set_height(pixels(height));
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into::<CanvasRenderingContext2d>()?;
    context.scale(scale, scale)?;
    context.draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)?;
    offer(name, &canvas.to_data_url()?);
    Ok(())
}

fn url_of(media_type: &str, text: &str) -> Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&JsValue::from_str(text)), &options)?;
    Url::create_object_url_with_blob(&blob)
}

fn offer(name: &str, url: &str) {
    let document = super::window().and_then(|window| window.document());
    let link = document.and_then(|document| document.create_element("a").ok());
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) {
        link.set_href(url);
        link.set_download(name);
        link.click();
    }
}
