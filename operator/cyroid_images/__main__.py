"""python -m cyroid_images"""

from cyroid_images.cli import main

if __name__ == "__main__":
    main()
