//! Bitmaps in a PDF file.

use pdf_writer::{Filter, Finish, Pdf, Ref};

use super::super::bitmap::Bitmap;
use super::deflate;

/// Writes a bitmap, whose opacity is an image of its own; returns its object.
pub(super) fn embed(
    bitmap: &Bitmap,
    smooth: bool,
    pdf: &mut Pdf,
    allocate: &mut impl FnMut() -> Ref,
) -> Ref {
    let pixels = || bitmap.rgba.chunks_exact(4);
    let size = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let (width, height) = (size(bitmap.width), size(bitmap.height));
    let colors: Vec<u8> = pixels().flat_map(|p| [p[0], p[1], p[2]]).collect();
    let opaque = pixels().all(|p| p[3] == 255);
    let id = allocate();
    let mask = (!opaque).then(&mut *allocate);
    let data = deflate(&colors);
    let mut image = pdf.image_xobject(id, &data);
    image.filter(Filter::FlateDecode);
    image.width(width).height(height);
    image.color_space().device_rgb();
    image.bits_per_component(8).interpolate(smooth);
    if let Some(mask) = mask {
        image.s_mask(mask);
    }
    image.finish();
    if let Some(mask) = mask {
        let opacities: Vec<u8> = pixels().map(|p| p[3]).collect();
        let data = deflate(&opacities);
        let mut image = pdf.image_xobject(mask, &data);
        image.filter(Filter::FlateDecode);
        image.width(width).height(height);
        image.color_space().device_gray();
        image.bits_per_component(8).interpolate(smooth);
    }
    id
}
